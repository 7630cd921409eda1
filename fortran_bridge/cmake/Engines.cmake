# The engines that HYBRID_ENGINES lists, each in a file of its own.
foreach(ENGINE IN LISTS HYBRID_ENGINES)
  if(ENGINE STREQUAL "torchscript")
    include(cmake/TorchScriptEngine.cmake)
  else()
    message(FATAL_ERROR "HYBRID_ENGINES: expected a list of: torchscript; got '${ENGINE}'")
  endif()
endforeach()
