!> What capgen writes for a host: the kind of its reals.
module ccpp_kinds
  use, intrinsic :: iso_fortran_env, only: real32, real64
  implicit none (type, external)
  private

#ifdef SINGLE_PRECISION
  integer, parameter, public :: kind_phys = real32
#else
  integer, parameter, public :: kind_phys = real64
#endif
end module ccpp_kinds
