!> Prints the tendency of a field on a line.
program line_model
  use, intrinsic :: iso_fortran_env, only: real64
  use found_terms, only: found_terms_prepare, found_terms_tendency, operators_t
  implicit none

  type(operators_t) :: operators
  real(real64), allocatable :: u(:), psi(:), tendency(:)
  real(real64) :: dx
  integer :: n_x

  read (*, *) n_x, dx
  allocate (u(n_x), psi(n_x), tendency(n_x))
  read (*, *) u, psi
  call found_terms_prepare(operators, n_x, dx)
  call found_terms_tendency(operators, u, psi, tendency)
  print '(es25.17e3)', tendency
end program line_model
