# The TorchScript engine, opened on demand; one file of it is against torch/script.h.
include(cmake/TorchSession.cmake)
add_library(hybrid_torchscript MODULE
  src/torch_graph.cpp
  src/torch_steps.cpp
  src/torchscript_engine.cpp)
target_compile_options(hybrid_torchscript PRIVATE -O1 -Wall)
# Its loops stand for torch's kernels: vectorised as these are, and each operation rounded.
set_source_files_properties(src/torch_steps.cpp PROPERTIES
  COMPILE_OPTIONS "-O3;-ffp-contract=off;-fno-trapping-math")
target_link_libraries(hybrid_torchscript PRIVATE hybrid_torch_session)
set_target_properties(hybrid_torchscript PROPERTIES INSTALL_RPATH "${TORCH_LIB_FOLDER}")
install(TARGETS hybrid_torchscript LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
