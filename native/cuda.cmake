# The addon with CUDA. nvcc compiles the kernels for each architecture, so that no driver has to, and as PTX of the
# newest for those to come. The CUDA runtime is linked in; the driver and cuBLASLt are looked for when it runs.
set(CMAKE_CUDA_ARCHITECTURES OFF)  # those below: this CMake does not know 90a
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
find_package(CUDAToolkit 13.0 REQUIRED)

set(CROSSMAP_ARCHITECTURES "80;86;89;90a;100;120" CACHE STRING "Architectures that kernels are compiled for")
set(CROSSMAP_PTX 120 CACHE STRING "Architecture of the PTX for GPUs to come")
foreach(ARCHITECTURE ${CROSSMAP_ARCHITECTURES})
  list(APPEND CROSSMAP_CUDA_FLAGS "SHELL:-gencode arch=compute_${ARCHITECTURE},code=sm_${ARCHITECTURE}")
endforeach()
list(APPEND CROSSMAP_CUDA_FLAGS "SHELL:-gencode arch=compute_${CROSSMAP_PTX},code=compute_${CROSSMAP_PTX}")

list(JOIN CROSSMAP_ARCHITECTURES " " CROSSMAP_ARCHITECTURES_TEXT)
set(CROSSMAP_DEFINITIONS CROSSMAP_CUDA "CROSSMAP_ARCHITECTURES=\"${CROSSMAP_ARCHITECTURES_TEXT}\""
                         CROSSMAP_PTX=${CROSSMAP_PTX})

add_library(cuda-kernels OBJECT ${CUDA_SOURCES})
target_include_directories(cuda-kernels PRIVATE native)
target_compile_definitions(cuda-kernels PRIVATE ${CROSSMAP_DEFINITIONS})
# What the compiler tells of each kernel is kept beside the object: npm run static reads it.
set_target_properties(cuda-kernels PROPERTIES
                      CXX_STANDARD_REQUIRED OFF
                      CUDA_COMPILER_LAUNCHER "node;${CMAKE_CURRENT_SOURCE_DIR}/scripts/cuda/nvcc.mjs")
# C++20 as a flag: this CMake refuses it as a property. A warning of ptxas, say of a spill, is an error too.
target_compile_options(cuda-kernels PRIVATE -std=c++20 --expt-relaxed-constexpr -Werror all-warnings
                                            ${CROSSMAP_CUDA_FLAGS})

crossmap_addon(crossmap-cuda ${HOST_SOURCES} ${CUDA_HOST_SOURCES} $<TARGET_OBJECTS:cuda-kernels>)
set_target_properties(crossmap-cuda PROPERTIES LINKER_LANGUAGE CXX)
target_compile_definitions(crossmap-cuda PRIVATE ${CROSSMAP_DEFINITIONS})
target_include_directories(crossmap-cuda SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(crossmap-cuda PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS})
