# The TorchScript engine: one translation unit against libtorch, opened on demand.
list(APPEND CMAKE_PREFIX_PATH "${HYBRID_TORCH_CMAKE}")
find_package(Torch REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(hybrid_torchscript MODULE src/torchscript_engine.cpp)
target_include_directories(hybrid_torchscript PRIVATE include)
target_compile_options(hybrid_torchscript PRIVATE -O1 -Wall)
# libtorch, libtorch_cpu and libc10 only: never the Python part.
target_link_libraries(hybrid_torchscript PRIVATE ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)
get_filename_component(TORCH_LIB_FOLDER "${TORCH_LIBRARY}" DIRECTORY)
set_target_properties(hybrid_torchscript PROPERTIES
  INSTALL_RPATH "${TORCH_LIB_FOLDER}")
install(TARGETS hybrid_torchscript LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
