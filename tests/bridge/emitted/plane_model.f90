!> Prints the tendency of a field on a plane, x first.
program plane_model
  use, intrinsic :: iso_fortran_env, only: real64
  use found_terms, only: found_terms_prepare, found_terms_tendency, operators_t
  implicit none

  type(operators_t) :: operators
  real(real64), allocatable :: psi(:, :), u(:, :), tendency(:, :)
  real(real64) :: dx, dy
  integer :: n_x, n_y

  read (*, *) n_x, n_y, dx, dy
  allocate (psi(n_x, n_y), u(n_x, n_y), tendency(n_x, n_y))
  read (*, *) psi, u
  call found_terms_prepare(operators, n_x, n_y, dx, dy)
  call found_terms_tendency(operators, psi, u, tendency)
  print '(es25.17e3)', tendency
end program plane_model
