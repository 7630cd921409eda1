!> A share for the closure beside the host's own scheme. Argument: the archive of y = 2 x, two
!> levels.
program coupling
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 3, n_level = 2
  real(real64), parameter :: host = 10.0_real64
  type(closure_t) :: closure
  real(real64), target :: x(n_column, n_level), y(n_column, n_level)
  real(real64) :: closures(n_column, n_level)
  character(len=1024) :: archive

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  x = reshape([1.0_real64, 2.0_real64, 3.0_real64, -4.0_real64, -5.0_real64, -6.0_real64], shape(x))
  closures = 2*x
  call shadow()
  call ramp()
  call partial()
  write (*, '(a)') 'shares are what they should be'

contains

  !> The array stays the host's, and the differences are told in its units.
  subroutine shadow()
    type(binding_t) :: columns
    integer(int64) :: number(n_level)
    real(real64) :: mean(n_level), rms(n_level), largest(n_level), expected(n_column)
    integer :: step
    call columns%create(closure, n_column)
    call columns%bind('x', x, dims='column,level', units='1')
    call columns%bind('y', y, dims='column,level', units='cm')
    call columns%shadow('y')
    do step = 1, 2
      y = 100*host
      call columns%run(step)
      if (any(abs(y - 100*host) > 0.0_real64)) error stop 'the shadow changed the array'
    end do
    call columns%differences('y', number, mean, rms, largest)
    expected = 100*(closures(:, 1) - host)
    if (any(number /= 2*n_column)) error stop 'how many differences'
    if (abs(mean(1) - sum(expected)/n_column) > 1.0e-3_real64) error stop 'mean'
    if (abs(rms(1) - sqrt(sum(expected**2)/n_column)) > 1.0e-3_real64) error stop 'rms'
    if (abs(largest(1) - maxval(abs(expected))) > 1.0e-3_real64) error stop 'largest'
    if (abs(largest(2) - 2200.0_real64) > 1.0e-3_real64) error stop 'largest of level 2'
  end subroutine shadow

  !> From the host's scheme at step 2 to the closure at step 6.
  subroutine ramp()
    type(binding_t) :: columns
    real(real64), parameter :: share(0:8) = [0.0_real64, 0.0_real64, 0.0_real64, 0.25_real64, &
      0.5_real64, 0.75_real64, 1.0_real64, 1.0_real64, 1.0_real64]
    integer :: step
    call columns%create(closure, n_column)
    call columns%ramp('y', 0.0_real64, 1.0_real64, 2, 6)
    do step = 0, 8
      y = host
      call columns%put('x', x, dims='column,level', units='1')
      call columns%apply(step)
      call columns%get('y', y, dims='column,level', units='m')
      if (any(abs(y - (1 - share(step))*host - share(step)*closures) > 1.0e-5_real64)) &
        error stop 'ramp'
    end do
  end subroutine ramp

  !> Half of the closure on level 1 alone, and not in column 2.
  subroutine partial()
    type(binding_t) :: columns
    real(real64), parameter :: some(n_column) = [1.0_real64, 0.0_real64, 1.0_real64]
    call columns%create(closure, n_column)
    call columns%bind('x', x, dims='column,level', units='1')
    call columns%bind('y', y, dims='column,level', units='m')
    call columns%ramp('y', 0.5_real64, 0.5_real64, 0, 0)
    call columns%partial('y', element=[1.0_real64, 0.0_real64], column=some)
    y = host
    call columns%run(1)
    if (any(abs(y(:, 1) - host - 0.5_real64*some*(closures(:, 1) - host)) > 1.0e-5_real64)) &
      error stop 'level 1'
    if (any(abs(y(:, 2) - host) > 0.0_real64)) error stop 'level 2'
    call columns%partial('y', column=some)
    y = host
    call columns%run(2)
    if (any(abs(y(:, 2) - host - 0.5_real64*some*(closures(:, 2) - host)) > 1.0e-5_real64)) &
      error stop 'both levels'
    call columns%partial('y')
    y = host
    call columns%run(3)
    if (any(abs(y - 0.5_real64*(host + closures)) > 1.0e-5_real64)) error stop 'everywhere'
  end subroutine partial

end program coupling
