# How our own code is compiled: one interface target that every target of ours links privately.
# Third-party headers come in as SYSTEM, so that warnings are about our code only.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

add_library(sosia_options INTERFACE)
target_compile_features(sosia_options INTERFACE cxx_std_20)
set(warnings
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wformat=2 -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
  # GCC 12 reports false positives of these two inside libstdc++ at -O2 (PR 105329, PR 105562).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-maybe-uninitialized>
  # Clang names us for what std::stable_sort of libstdc++ 12 calls; GCC checks our own calls.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
if(SOSIA_WERROR)
  list(APPEND warnings -Werror)
endif()
target_compile_options(sosia_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${warnings}>")
# Assertions stay on in the `dev` preset and under sanitizers; NDEBUG only in `release`.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
  string(REPLACE "-g" "-g1" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
  add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)
endif()

set(sanitizers "")
if(SOSIA_SANITIZE STREQUAL "address")
  # -O0: with the checks, -O2 takes three times as long to compile, most of what such a run costs.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -O0
      $<$<CXX_COMPILER_ID:Clang>:-fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/sanitizer-ignore.txt>)
elseif(SOSIA_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread)
elseif(NOT SOSIA_SANITIZE STREQUAL "none")
  message(FATAL_ERROR "SOSIA_SANITIZE is '${SOSIA_SANITIZE}'; use none, address or thread")
endif()
if(sanitizers)
  add_link_options(${sanitizers})
  list(APPEND sanitizers -fno-omit-frame-pointer)
endif()
if(SOSIA_BUILD_FUZZ)
  list(APPEND sanitizers -fsanitize=fuzzer-no-link)  # the search is led by the rooms' coverage
endif()
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${sanitizers}>")
