# The TorchScript engine: one translation unit against torch/script.h, opened on demand.
include(cmake/TorchSession.cmake)
add_library(hybrid_torchscript MODULE src/torchscript_engine.cpp)
target_compile_options(hybrid_torchscript PRIVATE -O1 -Wall)
target_link_libraries(hybrid_torchscript PRIVATE hybrid_torch_session)
set_target_properties(hybrid_torchscript PROPERTIES INSTALL_RPATH "${TORCH_LIB_FOLDER}")
install(TARGETS hybrid_torchscript LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
