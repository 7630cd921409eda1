# What the engines that run on torch share; linked into each.
include_guard()
list(APPEND CMAKE_PREFIX_PATH "${HYBRID_TORCH_CMAKE}")
find_package(Torch REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
get_filename_component(TORCH_LIB_FOLDER "${TORCH_LIBRARY}" DIRECTORY)

add_library(hybrid_torch_session OBJECT src/torch_session.cpp)
target_include_directories(hybrid_torch_session PUBLIC include)
target_compile_options(hybrid_torch_session PRIVATE -O1 -Wall)
# libtorch, libtorch_cpu and libc10 only: never the Python part.
target_link_libraries(hybrid_torch_session PUBLIC ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)
