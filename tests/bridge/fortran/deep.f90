!> Arrays of rank 4 and 5, in either order, as sections and in either precision. Argument: the
!> archive of a closure that doubles a field and adds the number of the element.
program deep
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_column = 3, n_band = 2, n_level = 3, n_y = 2, n_x = 4
  type(closure_t) :: closure
  real(real64) :: a5(n_column, n_band, n_level, n_y, n_x), b5(n_column, n_band, n_level, n_y, n_x)
  real(real64) :: a4(n_column, n_level, n_y, n_x), b4(n_column, n_level, n_y, n_x)
  character(len=1024) :: archive
  integer :: i, j, k, l, m, number

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  do i = 1, n_column
    number = 0
    do j = 1, n_band
      do k = 1, n_level
        do l = 1, n_y
          do m = 1, n_x
            a5(i, j, k, l, m) = 1000*i + 7*number
            b5(i, j, k, l, m) = 2*a5(i, j, k, l, m) + number
            if (j == 1) a4(i, k, l, m) = 500*i + 3*number
            if (j == 1) b4(i, k, l, m) = 2*a4(i, k, l, m) + number
            number = number + 1
          end do
        end do
      end do
    end do
  end do
  call put_and_get()
  call put_and_get_sections()
  call bind_reversed()
  call bind_sections()
  write (*, '(a)') 'all deep layouts agree'

contains

  subroutine put_and_get()
    type(binding_t) :: columns
    real(real64) :: y5(n_column, n_band, n_level, n_y, n_x), y4(n_column, n_level, n_y, n_x)
    call columns%create(closure, n_column)
    call columns%put('field5', a5, dims='column,band,level,y,x', units='m')
    call columns%put('field4', 1*a4, dims='column,level,y,x', units='m')
    call columns%apply(1)
    call columns%get('twice5', y5, dims='column,band,level,y,x', units='m')
    call columns%get('twice4', y4, dims='column,level,y,x', units='m')
    if (any(abs(y5 - b5) > 0.0_real64)) error stop 'put and get, rank 5'
    if (any(abs(y4 - b4) > 0.0_real64)) error stop 'put and get, rank 4'
  end subroutine put_and_get

  !> Every axis has another stride, of either sign.
  subroutine put_and_get_sections()
    type(binding_t) :: columns
    real(real32) :: x5(9, 5, 7, 3, 9), y5(9, 5, 7, 3, 9)
    real(real64) :: x4(8, 9, 5, 4), y4(8, 9, 5, 4)
    x5 = -1.0_real32
    y5 = -1.0_real32
    x4 = -1.0_real64
    y4 = -1.0_real64
    x5(8:4:-2, 5:2:-3, 1:7:3, 3:1:-2, 9:3:-2) = real(a5, real32)
    x4(2:8:3, 9:3:-3, 5:1:-4, :) = a4
    call columns%create(closure, n_column)
    call columns%put('field5', x5(8:4:-2, 5:2:-3, 1:7:3, 3:1:-2, 9:3:-2), &
                     dims='column,band,level,y,x', units='m')
    call columns%put('field4', x4(2:8:3, 9:3:-3, 5:1:-4, :), dims='column,level,y,x', units='m')
    call columns%apply(1)
    call columns%get('twice5', y5(2:6:2, 5:2:-3, 7:1:-3, 1:3:2, 3:9:2), &
                     dims='column,band,level,y,x', units='m')
    call columns%get('twice4', y4(8:2:-3, 3:9:3, 1:5:4, 4:1:-1), dims='column,level,y,x', &
                     units='m')
    if (any(abs(y5(2:6:2, 5:2:-3, 7:1:-3, 1:3:2, 3:9:2) - b5) > 0.0_real64)) &
      error stop 'sections of rank 5'
    if (any(abs(y4(8:2:-3, 3:9:3, 1:5:4, 4:1:-1) - b4) > 0.0_real64)) &
      error stop 'sections of rank 4'
    y5(2:6:2, 5:2:-3, 7:1:-3, 1:3:2, 3:9:2) = -1.0_real32
    y4(8:2:-3, 3:9:3, 1:5:4, 4:1:-1) = -1.0_real64
    if (any(abs(y5 + 1.0_real32) > 0.0_real32)) error stop 'wrote beside a section of rank 5'
    if (any(abs(y4 + 1.0_real64) > 0.0_real64)) error stop 'wrote beside a section of rank 4'
  end subroutine put_and_get_sections

  subroutine bind_reversed()
    type(binding_t) :: columns
    real(real64), target :: x5(n_x, n_y, n_level, n_band, n_column), x4(n_x, n_y, n_level, n_column)
    real(real32), target :: y5(n_x, n_y, n_level, n_band, n_column), y4(n_x, n_y, n_level, n_column)
    x5 = reshape(a5, shape(x5), order=[5, 4, 3, 2, 1])
    x4 = reshape(a4, shape(x4), order=[4, 3, 2, 1])
    call columns%create(closure, n_column)
    call columns%bind('field5', x5, dims='x,y,level,band,column', units='m')
    call columns%bind('field4', x4, dims='x,y,level,column', units='m')
    call columns%bind('twice5', y5, dims='x,y,level,band,column', units='m')
    call columns%bind('twice4', y4, dims='x,y,level,column', units='m')
    call columns%run(1)
    if (any(abs(y5 - reshape(b5, shape(y5), order=[5, 4, 3, 2, 1])) > 0.0_real64)) &
      error stop 'reversed, rank 5'
    if (any(abs(y4 - reshape(b4, shape(y4), order=[4, 3, 2, 1])) > 0.0_real64)) &
      error stop 'reversed, rank 4'
  end subroutine bind_reversed

  subroutine bind_sections()
    type(binding_t) :: columns
    real(real64), target, save :: x5(9, 5, 7, 3, 9), y5(9, 5, 7, 3, 9)
    real(real64), target :: x4(8, 9, 5, 4), y4(8, 9, 5, 4)
    x5 = 0.0_real64
    y5 = -1.0_real64
    x4 = 0.0_real64
    y4 = -1.0_real64
    call columns%create(closure, n_column)
    call columns%bind('field5', x5(8:4:-2, 5:2:-3, 1:7:3, 3:1:-2, 9:3:-2), &
                      dims='column,band,level,y,x', units='m')
    call columns%bind('field4', x4(2:8:3, 9:3:-3, 5:1:-4, :), dims='column,level,y,x', units='m')
    call columns%bind('twice5', y5(2:6:2, 5:2:-3, 7:1:-3, 1:3:2, 3:9:2), &
                      dims='column,band,level,y,x', units='m')
    call columns%bind('twice4', y4(8:2:-3, 3:9:3, 1:5:4, 4:1:-1), dims='column,level,y,x', &
                      units='m')
    ! After bind: what is there when run is called counts.
    x5(8:4:-2, 5:2:-3, 1:7:3, 3:1:-2, 9:3:-2) = a5
    x4(2:8:3, 9:3:-3, 5:1:-4, :) = a4
    call columns%run(1)
    if (any(abs(y5(2:6:2, 5:2:-3, 7:1:-3, 1:3:2, 3:9:2) - b5) > 0.0_real64)) &
      error stop 'bound sections of rank 5'
    if (any(abs(y4(8:2:-3, 3:9:3, 1:5:4, 4:1:-1) - b4) > 0.0_real64)) &
      error stop 'bound sections of rank 4'
  end subroutine bind_sections

end program deep
