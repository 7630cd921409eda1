!> What each policy does with columns that are flagged. Argument: the archive of y = 2 x with trust
!> 1 - |x|/2, where x is within [-1, 1], y within [-1.5, 1.5] and trust at least 0.5.
program guard
  use, intrinsic :: ieee_arithmetic, only: ieee_is_nan, ieee_quiet_nan, ieee_value
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use hybrid, only: binding_t, closure_t, hybrid_above, hybrid_below, hybrid_error_value, &
    hybrid_not_confident, hybrid_not_finite, hybrid_overflow, hybrid_reasons, hybrid_untouched
  implicit none (type, external)

  integer, parameter :: n_column = 6, untouched = 2**hybrid_untouched
  integer, parameter :: below = 2**hybrid_below, above = 2**hybrid_above, &
    not_finite = 2**hybrid_not_finite, not_confident = 2**hybrid_not_confident
  real(real64), parameter :: host = -7.0_real64
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64) :: x(n_column), y(n_column), trust(n_column)
  character(len=1024) :: archive
  character(len=300) :: errmsg
  integer :: reasons(n_column), stat

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  x = [0.0_real64, 0.5_real64, 2.0_real64, -3.0_real64, 0.0_real64, 0.9_real64]

  ! Without NaN, 'error' is like 'flag': counted, marked, computed.
  call evaluate('error')
  call expect_reasons([0, 0, above + not_confident, below + not_confident, 0, above])
  call expect(y, 2*x, 'error')
  if (columns%summary() /= 'guarded 1.0: 3 of 6 column evaluations flagged (50 %), policy error'// &
      ': x 1 below, 1 above; y 1 below, 2 above; trust 2 not confident') error stop 'summary'
  call expect_counts([0, 1, 2, 0, 2], 6)
  call expect_counts([0, 1, 2, 0, 0], 6, 'y')
  call expect_counts([0, 0, 0, 0, 2], 6, 'trust')

  x(5) = ieee_value(x(5), ieee_quiet_nan)
  call columns%put('x', x, dims='column', units='1', stat=stat, errmsg=errmsg)
  if (stat /= hybrid_error_value) error stop 'NaN was taken'
  if (index(errmsg, 'column 5 of 6') == 0) error stop 'which column'

  call evaluate('flag')
  call expect_reasons([0, 0, above + not_confident, below + not_confident, &
    not_finite + untouched, above])
  call expect(y, [0.0_real64, 1.0_real64, 4.0_real64, -6.0_real64, host, 1.8_real64], 'flag')

  call evaluate('clip')
  ! Inputs are moved, so the closure trusts its results; and so are these.
  call expect_reasons([0, 0, above, below, not_finite + untouched, above])
  call expect(y, [0.0_real64, 1.0_real64, 1.5_real64, -1.5_real64, host, 1.5_real64], 'clip')
  call expect(trust, [1.0_real64, 0.75_real64, 0.5_real64, 0.5_real64, host, 0.55_real64], 'trust')

  call evaluate('zero')
  call expect(y, [0.0_real64, 1.0_real64, 0.0_real64, 0.0_real64, 0.0_real64, 0.0_real64], 'zero')
  y = host
  call columns%get('y', y, dims='column', units='m', accumulate=.true.)
  call expect(y, [host, host + 1, host, host, host, host], 'nothing is added to')

  call evaluate('host')
  call expect(y, [0.0_real64, 1.0_real64, host, host, host, host], 'host')
  call expect_reasons([0, 0, above + untouched, below + untouched, not_finite + untouched, &
    above + untouched])

  call stricter()
  call overflowing()
  call seconds()
  write (*, '(a)') 'the guard does what it says'

contains

  subroutine evaluate(policy)
    character(len=*), intent(in) :: policy
    call columns%create(closure, n_column, policy=policy)
    call columns%put('x', x, dims='column', units='1')
    call columns%apply(1)
    y = host
    trust = host
    call columns%get('y', y, dims='column', units='m')
    call columns%get('trust', trust, dims='column', units='1')
    call columns%reasons(reasons)
  end subroutine evaluate

  !> A threshold of the host's own: 0.75 is no longer trusted.
  subroutine stricter()
    logical :: mask(n_column)
    call columns%create(closure, n_column, policy='host')
    call columns%threshold(0.8_real64)
    call columns%put('x', x, dims='column', units='1')
    call columns%apply(1)
    call columns%mask(mask)
    if (any(mask .neqv. [.false., .true., .true., .true., .true., .true.])) error stop 'threshold'
    call columns%reasons(reasons)
    if (.not. btest(reasons(2), hybrid_not_confident)) error stop 'which is the reason'
  end subroutine stricter

  !> In units of 1e-39 m, 1 m is no number of single precision.
  subroutine overflowing()
    real(real32) :: small(n_column)
    small = -7.0_real32
    call columns%create(closure, n_column, policy='flag')
    call columns%put('x', [0.0_real64, 0.5_real64, 0.1_real64, 0.0_real64, 0.0_real64, 0.0_real64], &
                     dims='column', units='1')
    call columns%apply(1)
    call columns%get('y', small, dims='column', units='1e-39 m')
    call columns%reasons(reasons)
    if (reasons(2) /= 2**hybrid_overflow + untouched) error stop 'overflow'
    if (abs(small(2) + 7.0_real32) > 0.0_real32) error stop 'an overflow was written'
    if (abs(small(3)/2.0e38_real32 - 1.0_real32) > 1.0e-6_real32) error stop 'a neighbour'
  end subroutine overflowing

  subroutine seconds()
    integer(int64) :: n_run
    real(real64) :: packing, engine, unpacking
    call columns%create(closure, n_column)
    call columns%timers(n_run, packing, engine, unpacking)
    if (n_run /= 0 .or. any(abs([packing, engine, unpacking]) > 0.0_real64)) error stop 'at first'
    call columns%put('x', 0*[1.0_real64, 2.0_real64, 3.0_real64, 4.0_real64, 5.0_real64, &
                             6.0_real64], dims='column', units='1')
    call columns%apply(1)
    call columns%timers(n_run, packing, engine, unpacking)
    if (n_run /= 1) error stop 'how many runs'
    if (any([packing, engine, unpacking] <= 0.0_real64)) error stop 'no time passed'
    if (any([packing, engine, unpacking] > 60.0_real64)) error stop 'seconds'
  end subroutine seconds

  subroutine expect(found, expected, label)
    real(real64), intent(in) :: found(:), expected(:)
    character(len=*), intent(in) :: label
    if (any(ieee_is_nan(found))) error stop label//': NaN was written'
    if (any(abs(found - expected) > 1.0e-6_real64)) error stop label
  end subroutine expect

  subroutine expect_reasons(expected)
    integer, intent(in) :: expected(:)
    logical :: mask(n_column)
    if (any(reasons /= expected)) then
      write (*, '(6i5)') reasons, expected
      error stop 'reasons'
    end if
    call columns%mask(mask)
    if (any(mask .neqv. expected /= 0)) error stop 'mask'
  end subroutine expect_reasons

  subroutine expect_counts(expected, n, name)
    integer, intent(in) :: expected(hybrid_reasons), n
    character(len=*), intent(in), optional :: name
    integer(int64) :: evaluated, flagged(hybrid_reasons)
    call columns%counts(evaluated, flagged, name)
    if (any(flagged /= expected) .or. evaluated /= n) then
      write (*, '(6i5)') evaluated, flagged
      error stop 'counts'
    end if
  end subroutine expect_counts

end program guard
