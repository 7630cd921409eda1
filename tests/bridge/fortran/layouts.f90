!> Sections, strides of either sign, kinds, transposition and units: all give the same numbers.
!> Argument: an archive with five levels.
program layouts
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 9, n_level = 5
  type(closure_t) :: closure, shared
  real(real64), target :: t(n_column, n_level), ps(n_column), dtdt(n_column, n_level), &
    rain(n_column)
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
  call plain()
  call sections()
  call single_and_transposed()
  call dummy(t, ps)
  shared = closure
  call closure%free()
  if (index(shared%manifest(), '"column_network"') == 0) error stop 'manifest is lost'
  if (len(closure%manifest()) /= 0) error stop 'a freed closure has a manifest'
  closure = shared
  call plain()
  call arrays_of_handles()
  write (*, '(a)') 'all layouts agree'

contains

  subroutine plain()
    type(binding_t) :: columns
    call columns%create(closure, n_column)
    call columns%bind('state_t', t, dims='column,level', units='K')
    call columns%bind('state_ps', ps, dims='column', units='Pa')
    call columns%bind('ptend_t', dtdt, dims='column,level', units='K s-1')
    call columns%bind('precipitation', rain, dims='column', units='m s-1')
    call columns%run(1)
  end subroutine plain

  subroutine sections()
    type(binding_t) :: columns
    real(real64), target :: big(20, 13), other(20, 13), line(40)
    big = -1.0_real64
    other = 7.0_real64
    line = 0.0_real64
    big(18:2:-2, 3:11:2) = t
    line(2:18:2) = ps/100
    call columns%create(closure, n_column)
    call columns%bind('state_t', big(18:2:-2, 3:11:2), dims='column,level', units='K')
    call columns%bind('state_ps', line(2:18:2), dims='column', units='hPa')
    call columns%bind('ptend_t', other(1:17:2, 10:2:-2), dims='column,level', units='K s-1')
    call columns%bind('precipitation', line(20:36:2), dims='column', units='m s-1')
    call columns%run(1)
    call agree(other(1:17:2, 10:2:-2), dtdt, 'strided section')
    other(1:17:2, 10:2:-2) = 7.0_real64
    if (any(abs(other - 7.0_real64) > 0.0_real64)) error stop 'wrote beside the section'
  end subroutine sections

  subroutine single_and_transposed()
    type(binding_t) :: columns
    real(real32), target :: t4(n_level, n_column), ps4(n_column), dtdt4(n_level, n_column)
    real(real64), target :: rain_day(n_column)
    t4 = real(transpose(t), real32)
    ps4 = real(ps, real32)
    call columns%create(closure, n_column, reproducible=.false.)
    call columns%bind('state_t', t4, dims='level,column', units='K')
    call columns%bind('state_ps', ps4, dims='column', units='Pa')
    call columns%bind('ptend_t', dtdt4, dims='level,column', units='K s-1')
    call columns%bind('precipitation', rain_day, dims='column', units='mm/day')
    call columns%run(1)
    call agree(real(transpose(dtdt4), real64), dtdt, 'single precision, levels first')
    if (any(abs(rain_day/86400000 - rain) > 1e-6_real64*maxval(rain))) error stop 'mm/day'
  end subroutine single_and_transposed

  !> Copies of arrays share, too, and each is released once.
  subroutine arrays_of_handles()
    type(closure_t) :: some(2), more(2)
    type(closure_t), allocatable :: growing(:)
    some(1) = closure
    some(2) = closure
    more = some
    call some(1)%free()
    ! Defined assignment does not allocate the left side.
    allocate (growing(2))
    growing = more
    deallocate (growing)
    if (len(more(1)%manifest()) == 0) error stop 'a copy in an array is lost'
    if (len(some(1)%manifest()) /= 0) error stop 'a freed element has a manifest'
  end subroutine arrays_of_handles

  !> A `contiguous` dummy of a section would be a temporary copy; an assumed-shape one is not.
  subroutine dummy(values, pressure)
    real(real64), intent(inout), target :: values(:, :), pressure(:)
    type(binding_t) :: columns
    real(real64), target :: tendency(size(values, 1), size(values, 2)), line(size(pressure))
    call columns%create(closure, size(values, 1))
    call columns%bind('state_t', values, dims='column,level', units='K')
    call columns%bind('state_ps', pressure, dims='column', units='Pa')
    call columns%bind('ptend_t', tendency, dims='column,level', units='K s-1')
    call columns%bind('precipitation', line, dims='column', units='m s-1')
    call columns%run(1)
    call agree(tendency, dtdt, 'assumed-shape dummy')
  end subroutine dummy

  subroutine agree(found, expected, label)
    real(real64), intent(in) :: found(:, :), expected(:, :)
    character(len=*), intent(in) :: label
    if (maxval(abs(found - expected)) > 1e-6_real64*maxval(abs(expected))) error stop label
  end subroutine agree

end program layouts
