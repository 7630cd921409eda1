# The AOTInductor engine: runs native code that torch compiled at export.
include(cmake/TorchSession.cmake)
find_file(AOTI_RUNNER torch/csrc/inductor/aoti_runner/model_container_runner.h
  PATHS ${TORCH_INCLUDE_DIRS} NO_DEFAULT_PATH)
if(NOT AOTI_RUNNER)
  message(STATUS "This torch has no AOTInductor runner: the aoti engine is not built")
  return()
endif()
add_library(hybrid_aoti MODULE src/aoti_engine.cpp src/aoti_package.cpp)
target_compile_options(hybrid_aoti PRIVATE -O1 -Wall)
target_link_libraries(hybrid_aoti PRIVATE hybrid_torch_session nlohmann_json::nlohmann_json)
set_target_properties(hybrid_aoti PROPERTIES INSTALL_RPATH "${TORCH_LIB_FOLDER}")
install(TARGETS hybrid_aoti LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
