# Third-party libraries. All come from package registries; nothing is copied into the tree. Each is
# found here once and linked by the room that owns it (HEAVY in rooms.cmake). A room whose libraries
# are missing is skipped, with the command that installs them in the summary; core and the command
# line stop the configuration.

# sosia_find_header_library(<target> <header> <debian package> [LIBRARY <name>...] [SUFFIX <dir>])
#
# Without the header or a library there is no <target>.
function(sosia_find_header_library target header package)
  cmake_parse_arguments(ARG "" "SUFFIX" "LIBRARY" ${ARGN})
  string(MAKE_C_IDENTIFIER "${target}" id)
  find_path(${id}_INCLUDE_DIR "${header}" PATH_SUFFIXES "${ARG_SUFFIX}")
  set(libraries "")
  foreach(name IN LISTS ARG_LIBRARY)
    find_library(${id}_${name}_LIBRARY "${name}")
    if(${id}_${name}_LIBRARY)
      list(APPEND libraries "${${id}_${name}_LIBRARY}")
    else()
      set(${id}_INCLUDE_DIR "${id}-NOTFOUND")
    endif()
    mark_as_advanced(${id}_${name}_LIBRARY)
  endforeach()
  mark_as_advanced(${id}_INCLUDE_DIR)
  set_property(GLOBAL PROPERTY SOSIA_PACKAGE_${target} ${package})
  if(NOT ${id}_INCLUDE_DIR)
    return()
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE "${${id}_INCLUDE_DIR}")
  target_link_libraries(${target} INTERFACE ${libraries})
endfunction()

find_package(Threads REQUIRED)

# core
sosia_find_header_library(ext::fmt fmt/format.h libfmt-dev LIBRARY fmt)
sosia_find_header_library(ext::json nlohmann/json.hpp nlohmann-json3-dev)
sosia_find_header_library(ext::toml toml++/toml.h libtomlplusplus-dev)
sosia_find_header_library(ext::tbb oneapi/tbb/task_arena.h libtbb-dev LIBRARY tbb)
sosia_find_header_library(ext::random123 Random123/philox.h librandom123-dev)
sosia_find_header_library(ext::xxhash xxhash.h libxxhash-dev LIBRARY xxhash)
sosia_find_header_library(ext::sodium sodium.h libsodium-dev LIBRARY sodium)
sosia_find_header_library(ext::httplib httplib.h libcpp-httplib-dev LIBRARY cpp-httplib)
# formats
sosia_find_header_library(ext::zlib zlib.h zlib1g-dev LIBRARY z)
# image
sosia_find_header_library(ext::turbojpeg turbojpeg.h libturbojpeg0-dev LIBRARY turbojpeg)
sosia_find_header_library(ext::png png.h libpng-dev LIBRARY png)
sosia_find_header_library(ext::webp webp/decode.h libwebp-dev LIBRARY webp webpdemux)
sosia_find_header_library(ext::gif gif_lib.h libgif-dev LIBRARY gif)
sosia_find_header_library(ext::opencv opencv2/imgproc.hpp libopencv-imgproc-dev
                          SUFFIX opencv4 LIBRARY opencv_core opencv_imgproc)
# gallery
sosia_find_header_library(ext::sqlite sqlite3.h libsqlite3-dev LIBRARY sqlite3)
sosia_find_header_library(ext::highway hwy/highway.h libhwy-dev LIBRARY hwy)
# cli
sosia_find_header_library(ext::cli11 CLI/CLI.hpp libcli11-dev)

find_file(SOSIA_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH)
if(NOT SOSIA_CHART_JS)
  message(FATAL_ERROR "core cannot be built: on Debian: apt-get install libjs-chart.js\n"
                      "(`make setup` installs everything that sosia needs)")
endif()

# Features. A room that needs an absent one is skipped with a line in the summary. ARROW is looked up
# where it is used.
sosia_feature(TORCH "LibTorch: training and the networks of most methods")
sosia_feature(LLAMA "libllama: language models")
sosia_feature(OPENVINO "OpenVINO: inference of ONNX models")
sosia_feature(ARROW "Arrow: Parquet files")
sosia_feature(CUDA "CUDA: GPU kernels")
sosia_feature(PYTHON "Python bindings")
foreach(feature PYTHON)
  sosia_feature_result(${feature} FALSE "no room of this version uses it yet")
endforeach()

# gallery: the headers that setup/hnswlib.sh took from the source distribution. Debian's own are of a
# version without filters, so they are not looked for.
sosia_feature(HNSWLIB "hnswlib: the approximate index of large galleries")
set(SOSIA_HNSWLIB_INCLUDE_DIR "${PROJECT_SOURCE_DIR}/.venv/hnswlib/include" CACHE PATH
    "Folder that holds hnswlib/hnswlib.h, version 0.8.0")
mark_as_advanced(SOSIA_HNSWLIB_INCLUDE_DIR)
if(EXISTS "${SOSIA_HNSWLIB_INCLUDE_DIR}/hnswlib/hnswlib.h")
  sosia_feature_result(HNSWLIB TRUE "headers 0.8.0")
else()
  sosia_feature_result(HNSWLIB FALSE "'make setup' adds its headers")
endif()
if(SOSIA_HAVE_HNSWLIB)
  add_library(ext::hnswlib INTERFACE IMPORTED GLOBAL)
  target_include_directories(ext::hnswlib SYSTEM INTERFACE "${SOSIA_HNSWLIB_INCLUDE_DIR}")
endif()

# models: the wheel of OpenVINO carries headers, libraries and a CMake configuration. That configuration
# looks for a TBB of its own, so it runs within a function: its variables stay there.
set(SOSIA_OPENVINO_DIR "" CACHE PATH "Folder with OpenVINOConfig.cmake (empty: that of .venv)")
mark_as_advanced(SOSIA_OPENVINO_DIR)
function(sosia_find_openvino)
  set(OpenVINO_DIR "${SOSIA_OPENVINO_DIR}")
  if(NOT OpenVINO_DIR)
    file(GLOB OpenVINO_DIR "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/openvino/cmake")
  endif()
  if(NOT EXISTS "${OpenVINO_DIR}/OpenVINOConfig.cmake" OR SOSIA_WITH_OPENVINO STREQUAL "OFF")
    sosia_feature_result(OPENVINO FALSE "run `make setup`: it installs the wheel of OpenVINO")
    return()
  endif()
  find_package(OpenVINO QUIET COMPONENTS Runtime PATHS "${OpenVINO_DIR}" NO_DEFAULT_PATH)
  if(OpenVINO_FOUND)
    sosia_feature_result(OPENVINO TRUE "${OpenVINO_VERSION}, ${OpenVINO_DIR}")
  else()
    sosia_feature_result(OPENVINO FALSE "${OpenVINO_DIR}: ${OpenVINO_NOT_FOUND_MESSAGE}")
  endif()
  if(NOT SOSIA_HAVE_OPENVINO)
    return()
  endif()
  get_target_property(configurations openvino::runtime IMPORTED_CONFIGURATIONS)
  list(GET configurations 0 configuration)
  get_target_property(library openvino::runtime IMPORTED_LOCATION_${configuration})
  add_library(ext::openvino INTERFACE IMPORTED GLOBAL)
  get_filename_component(package "${OpenVINO_DIR}" DIRECTORY)
  target_include_directories(ext::openvino SYSTEM INTERFACE "${package}/include")
  target_link_libraries(ext::openvino INTERFACE "${library}")
  get_filename_component(folder "${library}" DIRECTORY)
  set_property(GLOBAL PROPERTY SOSIA_OPENVINO_LIBRARY_DIR "${folder}")
endfunction()
sosia_find_openvino()

# llm: what setup/llama.sh built from the source distribution of llama-cpp-python: headers, libllama,
# ggml, and one library of CPU kernels for every family of processors, chosen at run time.
set(SOSIA_LLAMA_DIR "${PROJECT_SOURCE_DIR}/.venv/llama" CACHE PATH
    "Folder with include/llama.h, lib/libllama.so and the CPU kernels of ggml")
mark_as_advanced(SOSIA_LLAMA_DIR)
set(llama_library "${SOSIA_LLAMA_DIR}/lib/libllama.so")
file(GLOB llama_kernels "${SOSIA_LLAMA_DIR}/bin/libggml-cpu-*.so")
if(EXISTS "${SOSIA_LLAMA_DIR}/include/llama.h" AND EXISTS "${llama_library}" AND llama_kernels)
  sosia_feature_result(LLAMA TRUE "${llama_library}")
else()
  sosia_feature_result(LLAMA FALSE "run `make setup`: it builds libllama")
endif()
if(SOSIA_HAVE_LLAMA)
  add_library(ext::llama INTERFACE IMPORTED GLOBAL)
  target_include_directories(ext::llama SYSTEM INTERFACE "${SOSIA_LLAMA_DIR}/include")
  target_link_libraries(ext::llama INTERFACE "${llama_library}"
                        "${SOSIA_LLAMA_DIR}/lib/libggml.so" "${SOSIA_LLAMA_DIR}/lib/libggml-base.so")
  set_property(GLOBAL PROPERTY SOSIA_LLAMA_LIBRARY_DIR "${SOSIA_LLAMA_DIR}/lib")
  set_property(GLOBAL PROPERTY SOSIA_LLAMA_BACKEND_DIR "${SOSIA_LLAMA_DIR}/bin")
endif()

# tensor: the libraries of the wheel as targets of our own. Its CMake configuration is left alone: that of
# the CUDA build stops without a CUDA toolkit, which running it does not need.
set(SOSIA_TORCH_DIR "" CACHE PATH "Folder torch of the wheel, with include/ and lib/ (empty: that of .venv)")
mark_as_advanced(SOSIA_TORCH_DIR)
function(sosia_find_torch)
  set(folder "${SOSIA_TORCH_DIR}")
  if(NOT folder)
    file(GLOB folder "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  endif()
  set(version "")
  if(EXISTS "${folder}/version.py" AND EXISTS "${folder}/lib/libtorch_cpu.so")
    file(STRINGS "${folder}/version.py" line REGEX "^__version__")
    string(REGEX MATCH "[0-9]+\\.[0-9]+[^'\"]*" version "${line}")
  endif()
  if(NOT version)
    sosia_feature_result(TORCH FALSE "run `make setup`: it installs the wheel of PyTorch")
  elseif(version VERSION_LESS 2.13 OR version VERSION_GREATER_EQUAL 2.14)
    sosia_feature_result(TORCH FALSE "${folder} is version ${version}; 2.13 is needed: run `make setup`")
  else()
    sosia_feature_result(TORCH TRUE "${version}, ${folder}")
  endif()
  set(cuda "${folder}/lib/libtorch_cuda.so")
  if(SOSIA_HAVE_TORCH AND EXISTS "${cuda}")
    sosia_feature_result(CUDA TRUE "${cuda}")
  else()
    sosia_feature_result(CUDA FALSE "the wheel of PyTorch is the build for processors")
  endif()
  if(NOT SOSIA_HAVE_TORCH)
    return()
  endif()
  set(libraries "${folder}/lib/libtorch_cpu.so" "${folder}/lib/libc10.so")
  if(SOSIA_HAVE_CUDA)  # its kernels register when it is loaded: nothing of it is named
    list(APPEND libraries -Wl,--no-as-needed "${cuda}" "${folder}/lib/libc10_cuda.so" -Wl,--as-needed)
  endif()
  add_library(ext::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(ext::torch SYSTEM INTERFACE "${folder}/include"
                                                         "${folder}/include/torch/csrc/api/include")
  target_link_libraries(ext::torch INTERFACE ${libraries})
  # The same precompiled header serves all rooms only if all are compiled alike.
  set_property(GLOBAL PROPERTY SOSIA_TORCH_LIBRARY_DIR "${folder}/lib")
endfunction()
sosia_find_torch()
