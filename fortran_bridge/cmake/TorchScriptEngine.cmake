# The TorchScript engine: one translation unit against torch/script.h, opened on demand.
list(APPEND CMAKE_PREFIX_PATH "${HYBRID_TORCH_CMAKE}")
find_package(Torch REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
get_filename_component(TORCH_LIB_FOLDER "${TORCH_LIBRARY}" DIRECTORY)

# What both engines that run on torch share; linked into each.
add_library(hybrid_torch_session OBJECT src/torch_session.cpp)
target_include_directories(hybrid_torch_session PUBLIC include)
target_compile_options(hybrid_torch_session PRIVATE -O1 -Wall)
# libtorch, libtorch_cpu and libc10 only: never the Python part.
target_link_libraries(hybrid_torch_session PUBLIC ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)

add_library(hybrid_torchscript MODULE src/torchscript_engine.cpp)
target_compile_options(hybrid_torchscript PRIVATE -O1 -Wall)
target_link_libraries(hybrid_torchscript PRIVATE hybrid_torch_session)
set_target_properties(hybrid_torchscript PROPERTIES INSTALL_RPATH "${TORCH_LIB_FOLDER}")
install(TARGETS hybrid_torchscript LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
