# Rooms, methods and tests: the functions that src/*/CMakeLists.txt call.
#
# The import table (rooms.cmake) is read once into global properties; every other function checks
# against it, so that a forbidden edge stops the configuration with the table's own words.

# The table's rows. See rooms.cmake.
function(sosia_room name)
  cmake_parse_arguments(ARG "" "" "IMPORTS;METHOD_IMPORTS;HEAVY;METHOD_HEAVY" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "rooms.cmake: room '${name}': unexpected '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  get_property(rooms GLOBAL PROPERTY SOSIA_ROOMS)
  set(closure ${ARG_IMPORTS})
  foreach(import IN LISTS ARG_IMPORTS ARG_METHOD_IMPORTS)
    if(NOT import IN_LIST rooms)
      message(FATAL_ERROR "rooms.cmake: room '${name}' imports '${import}', which is not declared "
                          "above it; arrows point down only")
    endif()
  endforeach()
  foreach(import IN LISTS ARG_IMPORTS)
    get_property(below GLOBAL PROPERTY SOSIA_IMPORTS_${import})
    list(APPEND closure ${below})
  endforeach()
  set(method_closure ${closure} ${ARG_METHOD_IMPORTS})
  foreach(import IN LISTS ARG_METHOD_IMPORTS)
    get_property(below GLOBAL PROPERTY SOSIA_IMPORTS_${import})
    list(APPEND method_closure ${below})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  list(REMOVE_DUPLICATES method_closure)
  set_property(GLOBAL APPEND PROPERTY SOSIA_ROOMS ${name})
  set_property(GLOBAL PROPERTY SOSIA_IMPORTS_${name} ${closure})
  set_property(GLOBAL PROPERTY SOSIA_METHOD_IMPORTS_${name} ${method_closure})
  set_property(GLOBAL PROPERTY SOSIA_HEAVY_${name} ${ARG_HEAVY})
  set_property(GLOBAL PROPERTY SOSIA_METHOD_HEAVY_${name} ${ARG_METHOD_HEAVY})
endfunction()

# sosia_check_edges(<what> <room> <property> <import>...): stops unless every import is in the table.
function(sosia_check_edges what room property)
  get_property(allowed GLOBAL PROPERTY ${property}_${room})
  foreach(import IN LISTS ARGN)
    if(NOT import IN_LIST allowed)
      list(JOIN allowed ", " names)
      message(FATAL_ERROR
        "undeclared import: ${what} wants '${import}', but cmake/rooms.cmake allows '${room}' only: "
        "${names}.\nEither turn the dependency round, move the shared part down, or change the "
        "table and say why in docs/decisions/.")
    endif()
  endforeach()
endfunction()

# sosia_reasons_against(<out> <what> [IMPORTS <room>...] [LINK <target>...] ...): why <what> cannot
# be built here, "" when it can. What may be absent: rooms, and libraries called ext::<name>, which
# SosiaDependencies.cmake looks up or, when a feature has that name (TORCH: ext::torch), its gateway.
function(sosia_reasons_against out what)
  cmake_parse_arguments(ARG "" "" "IMPORTS;LINK;SOURCES" ${ARGN})
  set(reasons "")
  foreach(import IN LISTS ARG_IMPORTS)
    if(NOT TARGET sosia_${import})
      list(APPEND reasons "the room ${import} is not built")
    endif()
  endforeach()
  set(packages "")
  get_property(features GLOBAL PROPERTY SOSIA_FEATURES)
  foreach(library IN LISTS ARG_LINK)
    if(library MATCHES "^ext::(.+)" AND NOT TARGET ${library})
      string(TOUPPER "${CMAKE_MATCH_1}" feature)
      get_property(package GLOBAL PROPERTY SOSIA_PACKAGE_${library})
      if(feature IN_LIST features)
        get_property(detail GLOBAL PROPERTY SOSIA_FEATURE_DETAIL_${feature})
        list(APPEND reasons "feature ${feature}: ${detail}")
        continue()
      elseif(NOT package)
        message(FATAL_ERROR "${what} links ${library}, which cmake/SosiaDependencies.cmake does not "
                            "look up")
      endif()
      list(APPEND packages ${package})
    endif()
  endforeach()
  if(packages)
    list(REMOVE_DUPLICATES packages)
    list(JOIN packages " " words)
    list(APPEND reasons "on Debian: apt-get install ${words}")
  endif()
  list(JOIN reasons ", " text)  # no semicolon: the text goes through lists
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# sosia_add_room(<name> SOURCES <file>... [IMPORTS <room>...] [LINK <target>...])
#
# One shared library libsosia_<name>.so in lib/sosia/, opened by the program on first use of one of
# its verbs. Sources are relative to src/<name>/; public headers are include/sosia/<name>.hpp and
# include/sosia/<name>/*.hpp. If src/<name>/verbs.cpp exists it must define
# `void sosia::<name>::register_verbs(sosia::Registry&)`; the module's entry point is generated.
#
# A room that imports a room which is not built, or links a library which is not there, is skipped
# with a line in the summary; its CMakeLists.txt ends with this call (hence a macro). Only core
# cannot be skipped.
macro(sosia_add_room name)
  sosia_check_room(${name} ${ARGN})
  sosia_reasons_against(sosia_room_lacks "room '${name}'" ${ARGN})
  if(sosia_room_lacks)
    if("${name}" STREQUAL "core")
      message(FATAL_ERROR "core cannot be built: ${sosia_room_lacks}\n"
                          "(`make setup` installs everything that sosia needs)")
    endif()
    sosia_skip_room(${name} "${sosia_room_lacks}")
    return()
  endif()
  sosia_define_room(${name} ${ARGN})
endmacro()

# Stops unless the room is in the table and asks for nothing that the table does not allow.
function(sosia_check_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;IMPORTS;LINK" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sosia_add_room(${name}): unexpected '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  get_property(rooms GLOBAL PROPERTY SOSIA_ROOMS)
  if(NOT name IN_LIST rooms)
    list(JOIN rooms ", " names)
    message(FATAL_ERROR "sosia_add_room: '${name}' is not in cmake/rooms.cmake (${names})")
  endif()
  sosia_check_edges("room '${name}'" ${name} SOSIA_IMPORTS ${ARG_IMPORTS})
endfunction()

function(sosia_define_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;IMPORTS;LINK" ${ARGN})
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/sosia/${name}.hpp"
       "${PROJECT_SOURCE_DIR}/include/sosia/${name}/*.hpp")
  add_library(sosia_${name} SHARED ${ARG_SOURCES})
  add_library(sosia::${name} ALIAS sosia_${name})
  target_sources(sosia_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
                                      FILES ${headers})
  target_include_directories(sosia_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_compile_features(sosia_${name} PUBLIC cxx_std_20)
  target_link_libraries(sosia_${name} PRIVATE sosia_options ${ARG_LINK})
  foreach(import IN LISTS ARG_IMPORTS)
    target_link_libraries(sosia_${name} PUBLIC sosia_${import})
  endforeach()
  set_target_properties(sosia_${name} PROPERTIES
    EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/sosia"
    INSTALL_RPATH "$ORIGIN")
  if("ext::torch" IN_LIST ARG_LINK)
    sosia_use_torch(sosia_${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY SOSIA_BUILT_ROOMS ${name})

  if(NOT name STREQUAL "core")
    sosia_generate_registration(${name})
  endif()
  install(TARGETS sosia_${name} EXPORT sosiaTargets
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/sosia" COMPONENT ${name}
          FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT ${name})
endfunction()

# sosia_add_method(<method> ROOM <room> SOURCES <file>... [IMPORTS <room>...] [LINK <target>...])
#
# Called from src/<room>/methods/<method>/CMakeLists.txt, which the room finds by itself: a method
# exists when its folder does. All methods of a room form libsosia_<room>_methods.so, so that using
# the room never loads what only its methods need. The folder must hold CARD.md and claims.cpp;
# <method>.cpp defines `void sosia::<room>::<method>::register_method(sosia::Registry&)`. A method
# whose imports or libraries are not there is skipped, as a room is.
function(sosia_add_method method)
  cmake_parse_arguments(ARG "" "ROOM" "SOURCES;IMPORTS;LINK" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_ROOM)
    message(FATAL_ERROR "sosia_add_method(${method}): ROOM is needed; unexpected "
                        "'${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  set(room ${ARG_ROOM})
  set(here "${CMAKE_CURRENT_SOURCE_DIR}")
  get_filename_component(folder "${here}" NAME)
  if(NOT folder STREQUAL method)
    message(FATAL_ERROR "sosia_add_method(${method}): the folder must have the method's name, "
                        "but it is '${folder}'")
  endif()
  foreach(needed CARD.md claims.cpp)
    if(NOT EXISTS "${here}/${needed}")
      message(FATAL_ERROR "method '${room}/${method}' lacks ${needed}; copy it from "
                          "templates/method and fill it in")
    endif()
  endforeach()
  sosia_check_edges("method '${room}/${method}'" ${room} SOSIA_METHOD_IMPORTS ${ARG_IMPORTS})
  sosia_reasons_against(lacks "method '${room}/${method}'" IMPORTS ${ARG_IMPORTS} LINK ${ARG_LINK})
  if(lacks)
    sosia_skip_room(${room}/${method} "${lacks}")
    return()
  endif()
  list(TRANSFORM ARG_SOURCES PREPEND "${here}/")
  set_property(GLOBAL APPEND PROPERTY SOSIA_METHODS_${room} ${method})
  set_property(GLOBAL APPEND PROPERTY SOSIA_METHOD_SOURCES_${room} ${ARG_SOURCES}
                                                                   "${here}/claims.cpp")
  set_property(GLOBAL APPEND PROPERTY SOSIA_METHOD_LINK_${room} ${ARG_LINK})
  list(TRANSFORM ARG_IMPORTS PREPEND sosia_)
  set_property(GLOBAL APPEND PROPERTY SOSIA_METHOD_ROOMS_${room} ${ARG_IMPORTS})
  set_property(GLOBAL APPEND PROPERTY SOSIA_METHOD_CARDS "${here}/CARD.md")
  sosia_add_recipes(${method} "${here}/recipes")
  if(EXISTS "${here}/test_${method}.cpp")
    set(torch "")
    if("ext::torch" IN_LIST ARG_LINK)
      set(torch ext::torch)
    endif()
    sosia_add_test(${room}_${method} SOURCES "${here}/test_${method}.cpp"
                   LINK sosia_${room}_methods ${torch})
  endif()
endfunction()

# sosia_add_recipes(<method> <folder>): the *.toml in the folder come with sosia, in recipes/<method>/
# beside the modules; `sosia train --list` shows them.
function(sosia_add_recipes method folder)
  set(there "${PROJECT_BINARY_DIR}/lib/sosia/recipes/${method}")
  file(REMOVE_RECURSE "${there}")
  file(GLOB recipes CONFIGURE_DEPENDS "${folder}/*.toml")
  foreach(recipe IN LISTS recipes)
    get_filename_component(file "${recipe}" NAME)
    configure_file("${recipe}" "${there}/${file}" COPYONLY)
    install(FILES "${recipe}" COMPONENT core
            DESTINATION "${CMAKE_INSTALL_LIBDIR}/sosia/recipes/${method}")
  endforeach()
endfunction()

# The library of a room's methods. Made by the room, in its own folder: only there can the index be
# written after linking.
function(sosia_add_methods_module room)
  get_property(sources GLOBAL PROPERTY SOSIA_METHOD_SOURCES_${room})
  get_property(libraries GLOBAL PROPERTY SOSIA_METHOD_LINK_${room})
  get_property(rooms GLOBAL PROPERTY SOSIA_METHOD_ROOMS_${room})
  add_library(sosia_${room}_methods SHARED ${sources})
  target_include_directories(sosia_${room}_methods PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(sosia_${room}_methods PUBLIC sosia_${room} ${rooms}
                                              PRIVATE sosia_options ${libraries})
  set_target_properties(sosia_${room}_methods PROPERTIES
    EXPORT_NAME ${room}_methods
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/sosia"
    INSTALL_RPATH "$ORIGIN")
  if("ext::torch" IN_LIST libraries)
    sosia_use_torch(sosia_${room}_methods)
  endif()
  install(TARGETS sosia_${room}_methods EXPORT sosiaTargets
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/sosia" COMPONENT ${room})
endfunction()

# Generates register_<room>.cpp (the entry point) and, after linking, <room>.verbs.json: the
# verbs and claims that the module declares, so that help, completion and suggestions load nothing.
function(sosia_generate_registration room)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/verbs.cpp")
    sosia_write_entry(sosia_${room} "namespace sosia::${room} { void register_verbs(Registry&); }"
                      "  sosia::${room}::register_verbs(registry);")
  endif()
  file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true
       "${CMAKE_CURRENT_SOURCE_DIR}/methods/*/CMakeLists.txt")
  foreach(file IN LISTS folders)
    get_filename_component(folder "${file}" DIRECTORY)
    add_subdirectory("${folder}")
  endforeach()
  get_property(methods GLOBAL PROPERTY SOSIA_METHODS_${room})
  if(methods)
    sosia_add_methods_module(${room})
    set(declarations "")
    set(calls "")
    foreach(method IN LISTS methods)
      string(APPEND declarations
             "namespace sosia::${room}::${method} { void register_method(Registry&); }\n")
      string(APPEND calls "  sosia::${room}::${method}::register_method(registry);\n")
    endforeach()
    sosia_write_entry(sosia_${room}_methods "${declarations}" "${calls}")
  endif()
endfunction()

function(sosia_write_entry target declarations calls)
  string(REPLACE "sosia_" "" module ${target})
  set(file "${PROJECT_BINARY_DIR}/generated/register_${module}.cpp")
  file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT
"// Generated by the build from the folders; see cmake/SosiaRooms.cmake.
#include \"sosia/core/registry.hpp\"
namespace sosia { class Registry; }
@declarations@
extern \"C\" void sosia_register_module(sosia::Registry& registry) {
@calls@
}
")
  target_sources(${target} PRIVATE "${file}")
  set(index "${PROJECT_BINARY_DIR}/lib/sosia/${module}.verbs.json")
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND sosia_index module "$<TARGET_FILE:${target}>" "${index}"
    BYPRODUCTS "${index}"
    COMMENT "Indexing the verbs of ${module}" VERBATIM)
  add_dependencies(${target} sosia_index)
  set_property(GLOBAL APPEND PROPERTY SOSIA_MODULES ${target})
  install(FILES "${index}" DESTINATION "${CMAKE_INSTALL_LIBDIR}/sosia" COMPONENT ${module})
endfunction()

# The program believes every index in lib/sosia. Those of modules that this configuration does not
# build (a method that was deleted, a room that is skipped now) are left over from an earlier one.
function(sosia_remove_stale_indexes)
  get_property(modules GLOBAL PROPERTY SOSIA_MODULES)
  file(GLOB indexes "${PROJECT_BINARY_DIR}/lib/sosia/*.verbs.json")
  foreach(index IN LISTS indexes)
    get_filename_component(file "${index}" NAME)
    string(REPLACE ".verbs.json" "" module "${file}")
    if(NOT sosia_${module} IN_LIST modules)
      file(REMOVE "${index}" "${PROJECT_BINARY_DIR}/lib/sosia/libsosia_${module}.so")
    endif()
  endforeach()
endfunction()

set(SOSIA_TEST_TIMEOUT_S 300)
if(NOT SOSIA_SANITIZE STREQUAL "none")  # checked and unoptimised, the same work takes ten times as long
  set(SOSIA_TEST_TIMEOUT_S 1500)
endif()

# sosia_add_test(<name> SOURCES <file>... [LINK <target>...] [LABELS <label>...])
#
# One GoogleTest program test_<name>; every TEST becomes a ctest case. Default label: unit.
function(sosia_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT SOSIA_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE sosia_options ${ARG_LINK} GTest::gtest_main)
  if("ext::torch" IN_LIST ARG_LINK)  # compiled as the rooms are, else the precompiled header is no use
    set_target_properties(test_${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(test_${name} PRIVATE -fPIC)
    sosia_use_torch(test_${name})
  else()
    target_compile_options(test_${name} PRIVATE -O0)  # compiling is most of what a test costs
  endif()
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src"
                                                  "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(test_${name} PRIVATE
    SOSIA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SOSIA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                       PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${SOSIA_TEST_TIMEOUT_S})
endfunction()
