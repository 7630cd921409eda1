! The two-scale Lorenz-96 equations alone, as plain Fortran: what the solver's speed is compared
! with. No host of closures; `benchmarks/lorenz96_step.py` compiles and runs it.
!
!   dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F - (h c / b) sum_j Y_jk
!   dY_l/dt = -c b Y_{l+1} (Y_{l+2} - Y_{l-1}) - c Y_l + (h c / b) X_k,   l = j + J k
!
! Wilks (2005), doi:10.1256/qj.04.03, equations 1 and 2; F = 20, h = 1, b = c = 10, dt = 0.001.
! Classical fourth-order Runge-Kutta.
!
! Usage: lorenz96_two_scale N_K N_J N_STEP. Prints processor seconds a step,
! then the last X, one a line.

module lorenz96_two_scale
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: initial_state, step

  real(real64), parameter :: forcing = 20.0_real64, h = 1.0_real64
  real(real64), parameter :: c = 10.0_real64, b = 10.0_real64
  real(real64), parameter :: coupling = h*c/b
  real(real64), parameter, public :: dt = 0.001_real64

contains

  !> A state that anyone can write down: waves of X, and Y that follow them.
  pure subroutine initial_state(n_k, n_j, x, y)
    integer, intent(in) :: n_k, n_j
    real(real64), intent(out) :: x(n_k), y(n_j, n_k)
    integer :: j, k

    do k = 1, n_k
      x(k) = 3.0_real64 + 5.0_real64*sin(real(k - 1, real64))
      do j = 1, n_j
        y(j, k) = 0.3_real64*cos(real(j - 1 + n_j*(k - 1), real64))
      end do
    end do
  end subroutine initial_state

  !> Tendencies of X and of Y, which is one ring through all sectors.
  pure subroutine set_tendency(n_k, n_j, x, y, dx, dy)
    integer, intent(in) :: n_k, n_j
    real(real64), intent(in) :: x(n_k), y(n_j*n_k)
    real(real64), intent(out) :: dx(n_k), dy(n_j*n_k)
    integer :: first, k, l, n

    n = n_j*n_k
    dy(1) = -c*b*y(2)*(y(3) - y(n))
    do l = 2, n - 2
      dy(l) = -c*b*y(l + 1)*(y(l + 2) - y(l - 1))
    end do
    dy(n - 1) = -c*b*y(n)*(y(1) - y(n - 2))
    dy(n) = -c*b*y(1)*(y(2) - y(n - 1))
    dx(1) = -x(n_k)*(x(n_k - 1) - x(2))
    dx(2) = -x(1)*(x(n_k) - x(3))
    do k = 3, n_k - 1
      dx(k) = -x(k - 1)*(x(k - 2) - x(k + 1))
    end do
    dx(n_k) = -x(n_k - 1)*(x(n_k - 2) - x(1))
    do k = 1, n_k
      first = n_j*(k - 1)
      do l = first + 1, first + n_j
        dy(l) = dy(l) + (coupling*x(k) - c*y(l))
      end do
      dx(k) = dx(k) - x(k) + forcing - coupling*sum(y(first + 1:first + n_j))
    end do
  end subroutine set_tendency

  !> Advance X and Y one step; the other arrays are work space.
  pure subroutine step(n_k, n_j, state, stage, tendency, increment)
    integer, intent(in) :: n_k, n_j
    real(real64), intent(inout), dimension(n_k*(1 + n_j)) :: state, stage, tendency, increment
    integer :: i, n

    n = size(state)
    call set_tendency(n_k, n_j, state, state(n_k + 1), tendency, tendency(n_k + 1))
    do i = 1, n
      increment(i) = dt/6.0_real64*tendency(i)
      stage(i) = state(i) + 0.5_real64*dt*tendency(i)
    end do
    call set_tendency(n_k, n_j, stage, stage(n_k + 1), tendency, tendency(n_k + 1))
    do i = 1, n
      increment(i) = increment(i) + dt/3.0_real64*tendency(i)
      stage(i) = state(i) + 0.5_real64*dt*tendency(i)
    end do
    call set_tendency(n_k, n_j, stage, stage(n_k + 1), tendency, tendency(n_k + 1))
    do i = 1, n
      increment(i) = increment(i) + dt/3.0_real64*tendency(i)
      stage(i) = state(i) + dt*tendency(i)
    end do
    call set_tendency(n_k, n_j, stage, stage(n_k + 1), tendency, tendency(n_k + 1))
    do i = 1, n
      state(i) = state(i) + (increment(i) + dt/6.0_real64*tendency(i))
    end do
  end subroutine step

end module lorenz96_two_scale

program time_lorenz96_two_scale
  use, intrinsic :: iso_fortran_env, only: error_unit, real64
  use lorenz96_two_scale, only: initial_state, step
  implicit none(type, external)
  character(len=16) :: word
  integer :: i, n_k, n_j, n_step, numbers(3), stat
  real(real64) :: began, ended
  real(real64), allocatable :: state(:), stage(:), tendency(:), increment(:)

  do i = 1, 3
    call get_command_argument(i, word)
    read (word, *, iostat=stat) numbers(i)
    if (stat /= 0 .or. numbers(i) < 1) then
      write (error_unit, '(a)') 'usage: lorenz96_two_scale N_K N_J N_STEP, positive integers'
      stop 1, quiet = .true.
    end if
  end do
  n_k = numbers(1); n_j = numbers(2); n_step = numbers(3)
  allocate (state(n_k*(1 + n_j)))
  allocate (stage, tendency, increment, mold=state)
  call initial_state(n_k, n_j, state, state(n_k + 1))
  call cpu_time(began)
  do i = 1, n_step
    call step(n_k, n_j, state, stage, tendency, increment)
  end do
  call cpu_time(ended)
  print '(es24.16)', (ended - began)/n_step
  print '(es24.16)', state(:n_k)
end program time_lorenz96_two_scale
