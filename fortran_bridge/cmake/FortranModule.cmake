# The Fortran module: one source file, put together from fortran/ for the host's own compiler.
#
# A line `include 'NAME.inc'` is replaced by that file. What it says of @kind@ stands there once
# for each kind of real, and what it says of @ranks@ once for each rank, or once with
# assumed-rank dummies: the host's preprocessor chooses. So both paths are the same text.
set(HYBRID_FORTRAN_PARTS
  hybrid_c_abi hybrid_text hybrid_arrays hybrid_closure hybrid_binding hybrid_log hybrid_process
  hybrid)
set(HYBRID_FORTRAN_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/fortran/hybrid.F90)

function(hybrid_read_fortran NAME RESULT)
  set(FILE ${CMAKE_CURRENT_SOURCE_DIR}/fortran/${NAME})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FILE})
  file(READ ${FILE} TEXT)
  set(${RESULT} "${TEXT}" PARENT_SCOPE)
endfunction()

# Replace @ranks@, @rank@ and @shape@ by ranks 1 to 5 and by any.
function(hybrid_expand_ranks TEXT RESULT)
  set(EACH "")
  set(shape ":")
  foreach(rank RANGE 1 5)
    set(ranks ${rank})
    string(CONFIGURE "${TEXT}" ONE @ONLY)
    string(APPEND EACH "${ONE}")
    string(APPEND shape ", :")
  endforeach()
  set(ranks any)
  set(rank "rank(array)")
  set(shape "..")
  string(CONFIGURE "${TEXT}" ANY @ONLY)
  set(${RESULT}
    "#ifdef HYBRID_NO_ASSUMED_RANK\n${EACH}#else\n${ANY}#endif\n" PARENT_SCOPE)
endfunction()

# Replace @kind@ by each kind of real.
function(hybrid_expand_kinds TEXT RESULT)
  set(EACH "")
  foreach(kind real32 real64 real128)
    string(REPLACE "@kind@" ${kind} ONE "${TEXT}")
    if(ONE MATCHES "@ranks@")
      hybrid_expand_ranks("${ONE}" ONE)
    endif()
    if(kind STREQUAL "real128")
      set(ONE "#ifndef HYBRID_NO_REAL128\n${ONE}#endif\n")
    endif()
    string(APPEND EACH "${ONE}")
  endforeach()
  set(${RESULT} "${EACH}" PARENT_SCOPE)
endfunction()

function(hybrid_fortran_module)
  hybrid_read_fortran(header.inc SOURCE)
  foreach(PART IN LISTS HYBRID_FORTRAN_PARTS)
    hybrid_read_fortran(${PART}.F90 TEXT)
    string(REGEX MATCHALL "include '[a-z_]+[.]inc'" LINES "${TEXT}")
    foreach(LINE IN LISTS LINES)
      string(REGEX MATCH "[a-z_]+[.]inc" NAME "${LINE}")
      hybrid_read_fortran(${NAME} FRAGMENT)
      if(FRAGMENT MATCHES "@kind@")
        hybrid_expand_kinds("${FRAGMENT}" FRAGMENT)
      endif()
      string(REPLACE "${LINE}\n" "${FRAGMENT}" TEXT "${TEXT}")
    endforeach()
    string(APPEND SOURCE "\n${TEXT}")
  endforeach()
  # Written only when changed, so that what depends on it is not compiled in vain.
  file(CONFIGURE OUTPUT ${HYBRID_FORTRAN_SOURCE} CONTENT "${SOURCE}" @ONLY)
endfunction()

hybrid_fortran_module()
install(FILES ${HYBRID_FORTRAN_SOURCE} DESTINATION ${CMAKE_INSTALL_DATADIR}/hybrid)
