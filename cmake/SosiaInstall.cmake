# What stands on the whole: the version, the target `program`, and the installation with its
# package for find_package(sosia). Included last, when all rooms are known.

include(SosiaVersion)

get_property(rooms GLOBAL PROPERTY SOSIA_BUILT_ROOMS)
get_property(modules GLOBAL PROPERTY SOSIA_MODULES)
if(TARGET sosia_core)
  sosia_add_version(sosia_core)
endif()

# `program`: what a user needs, without tests and benches. The rooms are opened at run time, so
# nothing else ties them to the executable.
add_custom_target(program)
foreach(room IN LISTS rooms)
  add_dependencies(program sosia_${room})
endforeach()
get_property(parts GLOBAL PROPERTY SOSIA_PROGRAM_PARTS)
foreach(target IN LISTS modules parts)
  add_dependencies(program ${target})
endforeach()
if(TARGET sosia)
  add_dependencies(program sosia)
endif()

set(SOSIA_INSTALLED_ROOMS ${rooms})
set(SOSIA_INSTALL_LIBRARY_DIR "${CMAKE_INSTALL_LIBDIR}/sosia")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sosia")
configure_package_config_file(cmake/sosiaConfig.cmake.in
  "${PROJECT_BINARY_DIR}/package/sosiaConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS SOSIA_INSTALL_LIBRARY_DIR)
# Before 1.0 a minor version may change an interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/sosiaConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/package/sosiaConfig.cmake"
              "${PROJECT_BINARY_DIR}/package/sosiaConfigVersion.cmake"
        DESTINATION "${package_dir}" COMPONENT core)
install(EXPORT sosiaTargets NAMESPACE sosia:: DESTINATION "${package_dir}" COMPONENT core)
foreach(text README.md NOTICE.md)
  if(EXISTS "${PROJECT_SOURCE_DIR}/${text}")
    install(FILES ${text} DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT core)
  endif()
endforeach()
