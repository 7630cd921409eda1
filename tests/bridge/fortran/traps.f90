!> A closure that overflows inside, in a host that traps. Arguments: its archive; whether the host
!> overflows itself afterwards, 'overflow', which must kill it, or not, 'none'; and an engine.
program traps
  use, intrinsic :: iso_fortran_env, only: output_unit, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_divide_by_zero, ieee_flag_type, &
    ieee_get_halting_mode, ieee_get_rounding_mode, ieee_invalid, ieee_overflow, ieee_round_type, &
    ieee_set_rounding_mode, ieee_up, operator(==)
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)
  type(ieee_flag_type), parameter :: trapped(3) = [ieee_invalid, ieee_divide_by_zero, ieee_overflow]
  type(closure_t) :: closure
  type(binding_t) :: columns
  type(ieee_round_type) :: rounding
  real(real64), target :: x(3) = [1.0_real64, 1.0e4_real64, -1.0e4_real64], y(3)
  real(real64), volatile :: huge_number
  character(len=1024) :: archive, errmsg
  character(len=16) :: afterwards, engine
  integer :: i, stat
  logical :: halting

  call get_command_argument(1, archive)
  call get_command_argument(2, afterwards)
  call get_command_argument(3, engine)
  call ieee_set_rounding_mode(ieee_up)
  call closure%load(trim(archive), engine=trim(engine))
  call columns%create(closure, 3)
  call columns%bind('x', x, dims='column', units='1')
  ! The logarithm of zero, and a divisor of zero, inside the library.
  call columns%bind('y', y, dims='column', units='lg(re 1)', stat=stat, errmsg=errmsg)
  if (stat == 0) error stop 'logarithmic units were taken'
  call columns%bind('y', y, dims='column', units='1')
  call columns%run(0)
  write (*, '(3es16.8)') y
  flush (output_unit)
  do i = 1, size(trapped)
    call ieee_get_halting_mode(trapped(i), halting)
    if (.not. halting) error stop 'a trap of the host is gone'
  end do
  call ieee_get_rounding_mode(rounding)
  if (.not. rounding == ieee_up) error stop 'the rounding mode of the host is gone'
  huge_number = huge(1.0_real64)
  if (afterwards == 'overflow') huge_number = 2*huge_number
  write (*, '(a)') 'alive'
end program traps
