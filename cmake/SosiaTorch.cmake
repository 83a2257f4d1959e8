# What every target that includes "tensor/torch.hpp" needs: one precompiled header for all of them. GCC
# takes it only where all is compiled alike, hence no macro of its own for a library that is exported.

# sosia_use_torch(<target>): the target's sources may include tensor/torch.hpp.
function(sosia_use_torch target)
  get_property(folder GLOBAL PROPERTY SOSIA_TORCH_LIBRARY_DIR)
  target_link_libraries(${target} PRIVATE ext::torch)
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "")
  # The headers of LibTorch bring a {fmt} of their own, newer than Debian's library.
  target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY=1)
  set_property(TARGET ${target} APPEND PROPERTY INSTALL_RPATH "$ORIGIN;${folder}")
  target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess;-Winvalid-pch>")
  if(target STREQUAL "sosia_tensor")
    target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src/tensor/torch.hpp")
  else()
    target_precompile_headers(${target} REUSE_FROM sosia_tensor)
  endif()
endfunction()
