!> An engine with two threads, in a host whose own two threads trap, and later round upwards.
!> Arguments: archive of y = 1/(1 + x**2), which overflows inside; the engine.
program worker_threads
  use, intrinsic :: iso_fortran_env, only: real64
  use, intrinsic :: ieee_arithmetic, only: ieee_get_halting_mode, ieee_get_rounding_mode, &
    ieee_overflow, ieee_round_type, ieee_set_rounding_mode, ieee_up, operator(==)
  use omp_lib, only: omp_get_num_threads
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  ! Enough numbers that torch too shares them among its threads.
  integer, parameter :: n = 512, n_level = 512
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64), allocatable, target :: x(:, :), y(:, :)
  real(real64), allocatable :: before(:, :)
  character(len=1024) :: archive
  character(len=16) :: engine
  integer :: n_thread

  n_thread = 0
  !$omp parallel num_threads(2)
  !$omp single
  n_thread = omp_get_num_threads()
  !$omp end single
  !$omp end parallel
  if (n_thread /= 2) error stop 'the host has no second thread'
  allocate (x(n, n_level), y(n, n_level))
  x = 1.0e25_real64
  call get_command_argument(1, archive)
  call get_command_argument(2, engine)
  call closure%load(trim(archive), engine=trim(engine), threads=2)
  call columns%create(closure, n)
  call columns%bind('x', x, dims='column,level', units='1')
  call columns%bind('y', y, dims='column,level', units='1')
  call columns%run(1)
  if (any(abs(y) > 0.0_real64)) error stop 'not zero where the square is infinite'

  call random_number(x)
  call columns%run(2)
  before = y
  !$omp parallel num_threads(2)
  call ieee_set_rounding_mode(ieee_up)
  !$omp end parallel
  call columns%run(2)
  if (any(abs(y - before) > 0.0_real64)) error stop 'the rounding of the host shows'
  !$omp parallel num_threads(2)
  call expect_the_hosts()
  !$omp end parallel
  write (*, '(a)') 'each keeps its own'

contains

  subroutine expect_the_hosts()
    type(ieee_round_type) :: rounding
    logical :: halting
    call ieee_get_rounding_mode(rounding)
    if (.not. rounding == ieee_up) error stop 'a rounding mode of the host is gone'
    call ieee_get_halting_mode(ieee_overflow, halting)
    if (.not. halting) error stop 'a trap of the host is gone'
  end subroutine expect_the_hosts

end program worker_threads
