# The native engine: no torch. Its kernels are one source, compiled once for each instruction set.
find_package(OpenMP REQUIRED COMPONENTS CXX)

add_library(hybrid_native MODULE
  src/error.cpp
  src/json_text.cpp
  src/native/bf16_weights.cpp
  src/native/compiler.cpp
  src/native/constants.cpp
  src/native/instruction_set.cpp
  src/native/native_engine.cpp
  src/native/number_store.cpp
  src/native/program.cpp
  src/native/program_json.cpp
  src/native/regions.cpp
  src/native/session.cpp
  src/native/step_reader.cpp
  src/native/storage.cpp
  src/native/tensor.cpp)
target_include_directories(hybrid_native PRIVATE include)
target_compile_definitions(hybrid_native PRIVATE HYBRID_VERSION="${HYBRID_VERSION}")
target_compile_options(hybrid_native PRIVATE -Wall -Wextra)
target_link_libraries(hybrid_native PRIVATE nlohmann_json::nlohmann_json OpenMP::OpenMP_CXX)
install(TARGETS hybrid_native LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# Flags of a whole file, not of functions: the compiler then never splits the vectors. What it may
# fuse it always fuses, so that bits do not depend on the instruction set where there are fused
# multiply-adds; beyond that, arithmetic is as written.
function(add_kernels NAME)
  add_library(hybrid_native_${NAME} OBJECT src/native/kernels.cpp)
  target_compile_options(hybrid_native_${NAME} PRIVATE -Wall -Wextra
    -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math ${ARGN})
  target_sources(hybrid_native PRIVATE $<TARGET_OBJECTS:hybrid_native_${NAME}>)
endfunction()

add_kernels(base)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  add_kernels(v3 -march=x86-64-v3 -DHYBRID_KERNELS_V3)
  add_kernels(v4 -march=x86-64-v4 -mprefer-vector-width=512 -DHYBRID_KERNELS_V4)
  # Of its own, so that what float32 runs on is not touched by it.
  add_kernels(v4bf16 -march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512 -DHYBRID_KERNELS_V4
    -DHYBRID_KERNELS_BF16)
endif()
