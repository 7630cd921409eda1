!> Sections of the host's arrays behind dummy arguments, where a kept address might be that of a
!> temporary copy. Argument: an archive with five levels.
program dummies
  use, intrinsic :: iso_fortran_env, only: real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n = 9, n_level = 5
  type(closure_t) :: closure
  real(real64), target :: wide(2*n, 2*n_level), ps(n), rain(n), expected(n, n_level)
  character(len=1024) :: archive

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  ps = 9.0e4_real64
  call expect()
  call kept_by_assumed_shape()
  call kept_within_contiguous()
  call read_and_written_by_contiguous()
  write (*, '(a)') 'all dummies give the right result'

contains

  real(real64) elemental function temperature(i, k)
    integer, intent(in) :: i, k
    temperature = 230.0_real64 + 3.5_real64*i + 8.0_real64*k
  end function temperature

  !> Temperatures in the odd rows, and in the first columns; the rest is for results.
  subroutine fill(offset)
    real(real64), intent(in) :: offset
    integer :: i, k
    wide = -7.0_real64
    do k = 1, n_level
      wide(1::2, k) = [(temperature(i, k) + offset, i=1, n)]
    end do
  end subroutine fill

  !> What an array that lies by itself gives.
  subroutine expect()
    real(real64), target :: t(n, n_level)
    type(binding_t) :: columns
    call fill(0.0_real64)
    t = wide(1::2, :n_level)
    call columns%create(closure, n)
    call bind(columns, t, expected)
    call columns%run(1)
  end subroutine expect

  subroutine bind(columns, t, dtdt)
    type(binding_t), intent(inout) :: columns
    real(real64), intent(inout), target :: t(:, :), dtdt(:, :)
    call columns%bind('state_t', t, dims='column,level', units='K')
    call columns%bind('state_ps', ps, dims='column', units='Pa')
    call columns%bind('ptend_t', dtdt, dims='column,level', units='K s-1')
    call columns%bind('precipitation', rain, dims='column', units='m s-1')
  end subroutine bind

  !> An assumed-shape dummy is no copy: its address outlives the call that bound it.
  subroutine kept_by_assumed_shape()
    type(binding_t) :: columns
    call columns%create(closure, n)
    call bind(columns, wide(1::2, :n_level), wide(2::2, n_level + 1:))
    ! The values come only now: a copy made by the call would not have them.
    call fill(0.0_real64)
    call columns%run(1)
    call compare('an address kept by an assumed-shape dummy')
  end subroutine kept_by_assumed_shape

  !> A contiguous dummy of a section is a copy; inside, it is an array like any other.
  subroutine kept_within_contiguous()
    call fill(0.0_real64)
    call bind_and_run(wide(1::2, :n_level), wide(2::2, n_level + 1:))
    call compare('bind and run within a contiguous dummy')
  end subroutine kept_within_contiguous

  subroutine bind_and_run(t, dtdt)
    real(real64), intent(inout), contiguous, target :: t(:, :), dtdt(:, :)
    type(binding_t) :: columns
    call columns%create(closure, n)
    call bind(columns, t, dtdt)
    call columns%run(1)
  end subroutine bind_and_run

  !> put and get keep nothing: a binding that outlives the copies gives the right result.
  subroutine read_and_written_by_contiguous()
    type(binding_t) :: columns
    call columns%create(closure, n)
    call fill(20.0_real64)
    call put_apply_get(columns, wide(1::2, :n_level), wide(2::2, n_level + 1:))
    call fill(0.0_real64)
    call put_apply_get(columns, wide(1::2, :n_level), wide(2::2, n_level + 1:))
    call compare('put and get of a contiguous dummy')
  end subroutine read_and_written_by_contiguous

  subroutine put_apply_get(columns, t, dtdt)
    type(binding_t), intent(inout) :: columns
    real(real64), intent(in), contiguous :: t(:, :)
    real(real64), intent(inout), contiguous :: dtdt(:, :)
    call columns%put('state_t', t, dims='column,level', units='K')
    call columns%put('state_ps', ps, dims='column', units='Pa')
    call columns%apply(1)
    call columns%get('ptend_t', dtdt, dims='column,level', units='K s-1')
  end subroutine put_apply_get

  !> Results bit for bit, and nothing beside them.
  subroutine compare(label)
    character(len=*), intent(in) :: label
    if (any(abs(wide(2::2, n_level + 1:) - expected) > 0.0_real64)) error stop label
    if (any(abs(wide(2::2, :n_level) + 7.0_real64) > 0.0_real64)) error stop label//': beside'
    if (any(abs(wide(1::2, n_level + 1:) + 7.0_real64) > 0.0_real64)) error stop label//': beside'
  end subroutine compare

end program dummies
