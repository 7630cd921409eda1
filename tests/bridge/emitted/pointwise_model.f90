!> Prints what a model gets that has derivatives of its own: here of u = sin x.
program pointwise_model
  use, intrinsic :: iso_fortran_env, only: real64
  use viscous_terms, only: viscous_terms_pointwise
  implicit none

  integer :: i
  real(real64) :: x(8)

  x = [(0.1_real64 * i, i=1, 8)]
  print '(es25.17e3)', viscous_terms_pointwise(sin(x), cos(x), -sin(x))
end program pointwise_model
