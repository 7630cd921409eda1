!> A closure that overflows inside, in a host that traps on overflow. Argument: its archive.
program traps
  use, intrinsic :: iso_fortran_env, only: real64
  use, intrinsic :: ieee_arithmetic, only: ieee_get_halting_mode, ieee_get_rounding_mode, &
    ieee_invalid, ieee_overflow, ieee_round_type, ieee_set_rounding_mode, ieee_up, operator(==)
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)
  type(closure_t) :: closure
  type(binding_t) :: columns
  type(ieee_round_type) :: rounding
  real(real64), target :: x(3) = [1.0_real64, 1.0e4_real64, -1.0e4_real64], y(3)
  character(len=1024) :: archive, errmsg
  integer :: stat
  logical :: halting(2)

  call get_command_argument(1, archive)
  call ieee_set_rounding_mode(ieee_up)
  call closure%load(trim(archive))
  call columns%create(closure, 3)
  call columns%bind('x', x, dims='column', units='1')
  ! The logarithm of zero, and a divisor of zero, inside the library.
  call columns%bind('y', y, dims='column', units='lg(re 1)', stat=stat, errmsg=errmsg)
  if (stat == 0) error stop 'logarithmic units were taken'
  call columns%bind('y', y, dims='column', units='1')
  call columns%run(0)
  write (*, '(3es16.8)') y
  call ieee_get_halting_mode(ieee_invalid, halting(1))
  call ieee_get_halting_mode(ieee_overflow, halting(2))
  if (.not. all(halting)) error stop 'the traps of the host are gone'
  call ieee_get_rounding_mode(rounding)
  if (.not. rounding == ieee_up) error stop 'the rounding mode of the host is gone'
end program traps
