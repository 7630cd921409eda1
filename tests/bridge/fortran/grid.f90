!> A grid closure with a halo that the host fills. Argument: the archive of central differences
!> along x, on 3 x 4 points.
program grid
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_member = 2, n_x = 4, n_y = 3
  type(closure_t) :: closure
  type(binding_t) :: members
  real(real64) :: q(0:n_x + 1, n_y, n_member), q_x(n_x, n_y, n_member)
  character(len=1024) :: archive
  integer :: i, j, k

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  do k = 1, n_member
    do j = 1, n_y
      q(:, j, k) = [(0.5_real64*k*i**2 + j, i=0, n_x + 1)]
    end do
  end do
  call members%create_grid(closure, n_member, dims='x,y', sizes=[n_x, n_y], &
                           spacing=[10.0_real64, 5.0_real64], boundary='halo,periodic', &
                           member_id=[5_int64, 9_int64], seed=3_int64, reproducible=.true., &
                           policy='flag')
  call members%put('q', q, dims='x,y,member', units='m')
  call members%apply(1)
  call members%get('q_x', q_x, dims='x,y,member', units='1')
  do k = 1, n_member
    do j = 1, n_y
      if (any(abs(q_x(:, j, k) - [(0.1_real64*k*i, i=1, n_x)]) > 1.0e-12_real64)) &
        error stop 'difference'
    end do
  end do
  write (*, '(a)') 'the grid is right'
end program grid
