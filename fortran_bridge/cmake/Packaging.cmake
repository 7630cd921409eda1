# What hosts see of the installation: symbols and SONAME of the library, and how CMake, pkg-config
# and the loader find it. Nothing installed needs the prefix's name: the folder can be moved.
include(CMakePackageConfigHelpers)

# SOVERSION and the node HYBRID_1 change together, and only if a function of version 1 goes or
# changes its meaning; functions that come later get a node of their own in the same library.
set(CORE_SYMBOLS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/core.map)
target_link_options(hybrid PRIVATE -Wl,--version-script=${CORE_SYMBOLS})
set_target_properties(hybrid PROPERTIES
  SOVERSION 1
  LINK_DEPENDS ${CORE_SYMBOLS}
  INSTALL_RPATH_USE_LINK_PATH ON)

# Engines export their entry. Torch is what the engine was built with, else lies beside it.
set(ENGINE_SYMBOLS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/engine.map)
foreach(ENGINE IN LISTS HYBRID_ENGINES)
  # An engine that this torch cannot have is no target.
  if(TARGET hybrid_${ENGINE})
    target_link_options(hybrid_${ENGINE} PRIVATE -Wl,--version-script=${ENGINE_SYMBOLS})
    set_target_properties(hybrid_${ENGINE} PROPERTIES LINK_DEPENDS ${ENGINE_SYMBOLS})
    set_property(TARGET hybrid_${ENGINE} APPEND PROPERTY INSTALL_RPATH "$ORIGIN")
  endif()
endforeach()

target_include_directories(hybrid PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS hybrid EXPORT hybrid LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/hybrid.h include/hybrid_engine.h include/hybrid_tendency.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# CMake compares numbers only: 0.2.0.dev3 is 0.2.0 to it.
string(REGEX MATCH "^[0-9]+(\\.[0-9]+)*" HYBRID_NUMERIC_VERSION "${HYBRID_VERSION}")
set(HYBRID_CMAKE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/hybrid)
set(HYBRID_FORTRAN_FOLDER ${CMAKE_INSTALL_DATADIR}/hybrid)
configure_package_config_file(cmake/hybridConfig.cmake.in hybridConfig.cmake
  INSTALL_DESTINATION ${HYBRID_CMAKE_FOLDER}
  PATH_VARS HYBRID_FORTRAN_FOLDER
  NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(hybridConfigVersion.cmake
  VERSION ${HYBRID_NUMERIC_VERSION}
  COMPATIBILITY SameMinorVersion)
install(EXPORT hybrid
  NAMESPACE hybrid::
  FILE hybridTargets.cmake
  DESTINATION ${HYBRID_CMAKE_FOLDER})
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/hybridConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/hybridConfigVersion.cmake
  DESTINATION ${HYBRID_CMAKE_FOLDER})

set(PKG_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH HYBRID_UP /${PKG_CONFIG_FOLDER} /)
string(REGEX REPLACE "/$" "" HYBRID_UP "${HYBRID_UP}")
configure_file(cmake/hybrid.pc.in hybrid.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hybrid.pc DESTINATION ${PKG_CONFIG_FOLDER})
