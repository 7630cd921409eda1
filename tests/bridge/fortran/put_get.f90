!> Arrays that are read and written at once: expressions, sections, dummies of every sort, none of
!> them a target. Argument: an archive with five levels.
program put_get
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 9, n_level = 5
  type(closure_t) :: closure
  real(real64) :: t(n_column, n_level), ps(n_column), dtdt(n_column, n_level), rain(n_column)
  character(len=1024) :: archive
  integer :: i, k

  call get_command_argument(1, archive)
  do k = 1, n_level
    do i = 1, n_column
      t(i, k) = 230.0_real64 + 3.5_real64*i + 8.0_real64*k
    end do
  end do
  ps = [(9.0e4_real64 + 64*i, i=1, n_column)]
  call closure%load(trim(archive))
  call keep_addresses()
  call sections()
  call expressions(t, ps)
  call dummies(n_column, n_level, t, dtdt)
  call single_and_transposed()
  call accumulate()
  call memory_is_read_and_written_at_once()
  write (*, '(a)') 'put and get agree with bind and run'

contains

  !> What the others must give, bit for bit.
  subroutine keep_addresses()
    type(binding_t) :: columns
    real(real64), target :: x(n_column, n_level), p(n_column), y(n_column, n_level), r(n_column)
    x = t
    p = ps
    call columns%create(closure, n_column)
    call columns%bind('state_t', x, dims='column,level', units='K')
    call columns%bind('state_ps', p, dims='column', units='Pa')
    call columns%bind('ptend_t', y, dims='column,level', units='K s-1')
    call columns%bind('precipitation', r, dims='column', units='m s-1')
    call columns%run(1)
    dtdt = y
    rain = r
  end subroutine keep_addresses

  subroutine sections()
    type(binding_t) :: columns
    real(real64) :: big(20, 13), other(17, 9), line(40)
    big = -1.0_real64
    other = 7.0_real64
    line = 0.0_real64
    big(18:2:-2, 3:11:2) = t
    line(2:18:2) = ps
    call columns%create(closure, n_column)
    call columns%put('state_t', big(18:2:-2, 3:11:2), dims='column,level', units='K')
    call columns%put('state_ps', line(2:18:2), dims='column', units='Pa')
    big = -1.0_real64
    line = -1.0_real64
    call columns%apply(1)
    call columns%get('ptend_t', other(::2, 5:1:-1), dims='column,level', units='K s-1')
    call columns%get('precipitation', line(36:20:-2), dims='column', units='m s-1')
    call same(other(::2, 5:1:-1), dtdt, 'sections')
    if (any(abs(line(36:20:-2) - rain) > 0.0_real64)) error stop 'a line backwards'
    other(::2, 5:1:-1) = 7.0_real64
    line(36:20:-2) = -1.0_real64
    if (any(abs(other - 7.0_real64) > 0.0_real64)) error stop 'wrote beside the section'
    if (any(abs(line + 1.0_real64) > 0.0_real64)) error stop 'wrote beside the line'
  end subroutine sections

  subroutine expressions(x, p)
    real(real64), intent(in) :: x(:, :), p(:)
    type(binding_t) :: columns
    real(real64) :: y(size(x, 1), size(x, 2)), r(size(p)), line(2*size(p))
    line = -1.0_real64
    line(1::2) = p
    call columns%create(closure, size(p))
    call columns%put('state_t', 2*x - x, dims='column,level', units='K')
    ! A vector subscript: the compiler gathers it.
    call columns%put('state_ps', line([(2*i - 1, i=1, size(p))]), dims='column', units='Pa')
    call columns%apply(1)
    call columns%get('ptend_t', y, dims='column,level', units='K s-1')
    call columns%get('precipitation', r, dims='column', units='m s-1')
    call same(y, dtdt, 'expressions')
    if (any(abs(r - rain) > 0.0_real64)) error stop 'a gathered line'
    call columns%put('state_t', x(::1, ::1), dims='column,level', units='K')
    call columns%put('state_ps', p/100, dims='column', units='hPa')
    call columns%apply(2)
    call columns%get('precipitation', r, dims='column', units='mm/day')
    if (any(abs(r/86400000 - rain) > 1e-6_real64*maxval(rain))) error stop 'hPa or mm/day'
  end subroutine expressions

  !> Explicit shape, assumed size, and what an assumed-shape dummy does to a section.
  subroutine dummies(n, m, x, expected)
    integer, intent(in) :: n, m
    real(real64), intent(in) :: x(n, *), expected(n, m)
    type(binding_t) :: columns
    real(real64) :: y(2*n, m + 1), z(n, m)
    y = 7.0_real64
    call columns%create(closure, n)
    call columns%put('state_t', x(:, 1:m), dims='column,level', units='K')
    call columns%put('state_ps', ps, dims='column', units='Pa')
    call columns%apply(1)
    call fill(columns, y(2*n:2:-2, m + 1:2:-1))
    call same(y(2*n:2:-2, m + 1:2:-1), expected, 'an assumed-shape dummy')
    if (any(abs(y(1::2, :) - 7.0_real64) > 0.0_real64)) error stop 'wrote beside the dummy'
    call fill_contiguous(columns, z)
    call same(z, expected, 'a contiguous dummy')
    y = 7.0_real64
    call fill_contiguous(columns, y(2*n:2:-2, m + 1:2:-1))
    call same(y(2*n:2:-2, m + 1:2:-1), expected, 'a contiguous dummy of a section')
  end subroutine dummies

  subroutine fill(columns, y)
    type(binding_t), intent(inout) :: columns
    real(real64), intent(inout) :: y(:, :)
    call columns%get('ptend_t', y, dims='column,level', units='K s-1')
  end subroutine fill

  subroutine fill_contiguous(columns, y)
    type(binding_t), intent(inout) :: columns
    real(real64), intent(inout), contiguous :: y(:, :)
    call columns%get('ptend_t', y, dims='column,level', units='K s-1')
  end subroutine fill_contiguous

  subroutine single_and_transposed()
    type(binding_t) :: columns
    real(real32) :: t4(n_level, n_column), ps4(n_column), dtdt4(n_level, n_column), rain4(n_column)
    t4 = real(transpose(t), real32)
    ps4 = real(ps, real32)
    call columns%create(closure, n_column)
    call columns%put('state_t', t4, dims='level,column', units='K')
    call columns%put('state_ps', ps4, dims='column', units='Pa')
    call columns%apply(1)
    call columns%get('ptend_t', dtdt4, dims='level,column', units='K s-1')
    call columns%get('precipitation', rain4, dims='column', units='m s-1')
    call same(real(transpose(dtdt4), real64), dtdt, 'single precision, levels first')
    if (any(abs(real(rain4, real64) - rain) > 0.0_real64)) error stop 'single precision'
  end subroutine single_and_transposed

  subroutine accumulate()
    type(binding_t) :: columns
    real(real64) :: y(n_column, n_level)
    call columns%create(closure, n_column)
    call columns%put('state_t', t, dims='column,level', units='K')
    call columns%put('state_ps', ps, dims='column', units='Pa')
    call columns%apply(1)
    y = 1.0_real64
    call columns%get('ptend_t', y, dims='column,level', units='K/day', accumulate=.true.)
    if (any(abs(y - 1.0_real64 - 86400*dtdt) > 1.0e-6_real64)) error stop 'accumulate'
    call columns%get('ptend_t', y, dims='column,level', units='K/s', accumulate=.false.)
    call same(y, dtdt, 'not accumulated')
  end subroutine accumulate

  !> The optimiser must see that put reads and get writes, although no array is a target.
  subroutine memory_is_read_and_written_at_once()
    type(binding_t) :: columns
    real(real64) :: x(n_column, n_level), p(n_column), y(n_column, n_level), first(n_column, n_level)
    integer :: repetition
    call columns%create(closure, n_column)
    p = ps
    do repetition = 1, 3
      x = t + repetition - 1
      y = 0.0_real64
      call columns%put('state_t', x, dims='column,level', units='K')
      x = 0.0_real64
      call columns%put('state_ps', p, dims='column', units='Pa')
      call columns%apply(repetition)
      call columns%get('ptend_t', y, dims='column,level', units='K s-1')
      if (repetition == 1) then
        first = y
        call same(first, dtdt, 'the first of several')
      else if (all(abs(y - first) <= 0.0_real64) .or. any(abs(y) <= 0.0_real64)) then
        error stop 'an old result was kept'
      end if
    end do
    if (any(abs(x) > 0.0_real64)) error stop 'an input was written'
  end subroutine memory_is_read_and_written_at_once

  subroutine same(found, expected, label)
    real(real64), intent(in) :: found(:, :), expected(:, :)
    character(len=*), intent(in) :: label
    if (any(abs(found - expected) > 0.0_real64)) error stop label
  end subroutine same

end program put_get
