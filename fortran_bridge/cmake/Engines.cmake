# The engines that HYBRID_ENGINES lists, each in a file of its own.
foreach(ENGINE IN LISTS HYBRID_ENGINES)
  if(ENGINE STREQUAL "torchscript")
    include(cmake/TorchScriptEngine.cmake)
  elseif(ENGINE STREQUAL "aoti")
    include(cmake/AotiEngine.cmake)
  elseif(ENGINE STREQUAL "native")
    include(cmake/NativeEngine.cmake)
  else()
    message(FATAL_ERROR
      "HYBRID_ENGINES: expected a list of: torchscript, aoti, native; got '${ENGINE}'")
  endif()
endforeach()
