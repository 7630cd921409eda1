!> Runs one archive over the columns of a netCDF file, through the Fortran interface.
!>
!> The file holds a variable for every input, state and output field, with the attributes `units`
!> and `dims`, the names of its axes in the archive with `column` or `member` before; outputs and
!> new state are overwritten. The settings that begin with `grid_` are for grid closures: see
!> `create_grid`. `engine` is by default the one that `load` chooses.
!> `hybrid verify` compares them with the Python closure. Usage: hybrid-verify-host NAMELIST
program verify_host
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use hybrid, only: binding_t, closure_t
  use netcdf, only: nf90_close, nf90_get_att, nf90_get_var, nf90_inq_varid, &
    nf90_inquire_dimension, nf90_inquire_variable, nf90_noerr, nf90_open, nf90_put_var, &
    nf90_strerror, nf90_write
  implicit none(type, external)

  integer, parameter :: longest = 64, most = 256, most_dims = 3

  !> One variable of the file; only the array of its rank is allocated.
  type :: variable_t
    character(len=longest) :: name = '', units = ''
    character(len=256) :: dims = ''
    integer :: id = 0, rank = 0
    real(real64), allocatable :: r1(:), r2(:, :), r3(:, :, :), r4(:, :, :, :)
  end type variable_t

  character(len=1024) :: settings_file, archive, file
  character(len=longest) :: engine, inputs(most), outputs(most), state(most)
  character(len=256) :: grid_dims, grid_boundary
  integer(int64) :: seed
  integer :: step, n_column, unit, ncid, n_dim, grid_sizes(most_dims)
  real(real64) :: grid_spacing(most_dims)
  logical :: reproducible
  type(closure_t) :: closure
  type(binding_t) :: columns
  type(variable_t), allocatable, target :: bound(:)
  integer :: stat
  character(len=2048) :: errmsg
  namelist /settings/ archive, file, engine, inputs, outputs, state, seed, step, n_column, &
    reproducible, grid_dims, grid_sizes, grid_spacing, grid_boundary

  engine = 'auto'
  inputs = ''
  outputs = ''
  state = ''
  grid_dims = ''
  grid_sizes = 0
  grid_spacing = 0.0_real64
  grid_boundary = ''
  seed = 0
  step = 0
  reproducible = .true.
  call get_command_argument(1, settings_file)
  open (newunit=unit, file=trim(settings_file), status='old', action='read', iostat=stat, &
        iomsg=errmsg)
  call check(stat)
  read (unit, nml=settings, iostat=stat, iomsg=errmsg)
  call check(stat)
  close (unit)

  call netcdf_check(nf90_open(trim(file), nf90_write, ncid))
  call closure%load(trim(archive), engine=trim(engine), stat=stat, errmsg=errmsg)
  call check(stat)
  n_dim = count(grid_sizes > 0)
  if (n_dim == 0) then
    call columns%create(closure, n_column, seed=seed, reproducible=reproducible, stat=stat, &
                        errmsg=errmsg)
  else
    call columns%create_grid(closure, n_column, trim(grid_dims), grid_sizes(:n_dim), &
                             grid_spacing(:n_dim), trim(grid_boundary), seed=seed, &
                             reproducible=reproducible, stat=stat, errmsg=errmsg)
  end if
  call check(stat)
  call bind_all()
  call set_state()
  call columns%run(step, stat, errmsg)
  call check(stat)
  call columns%commit(stat, errmsg)
  call check(stat)
  call write_outputs()
  call write_state()
  call netcdf_check(nf90_close(ncid))

contains

  subroutine bind_all()
    integer :: i, n_input
    n_input = count(inputs /= '')
    allocate (bound(n_input + count(outputs /= '')))
    do i = 1, size(bound)
      if (i <= n_input) then
        call read_variable(inputs(i), bound(i))
      else
        call read_variable(outputs(i - n_input), bound(i))
      end if
      call bind_variable(bound(i))
    end do
  end subroutine bind_all

  subroutine bind_variable(variable)
    type(variable_t), intent(inout), target :: variable
    select case (variable%rank)
    case (1)
      call columns%bind(variable%name, variable%r1, dims=variable%dims, units=variable%units, &
                        stat=stat, errmsg=errmsg)
    case (2)
      call columns%bind(variable%name, variable%r2, dims=variable%dims, units=variable%units, &
                        stat=stat, errmsg=errmsg)
    case (3)
      call columns%bind(variable%name, variable%r3, dims=variable%dims, units=variable%units, &
                        stat=stat, errmsg=errmsg)
    case default
      call columns%bind(variable%name, variable%r4, dims=variable%dims, units=variable%units, &
                        stat=stat, errmsg=errmsg)
    end select
    call check(stat)
  end subroutine bind_variable

  subroutine read_variable(name, variable)
    character(len=*), intent(in) :: name
    type(variable_t), intent(inout) :: variable
    integer :: i, ids(most_dims + 1), extent(most_dims + 1)
    variable%name = name
    call netcdf_check(nf90_inq_varid(ncid, trim(name), variable%id))
    call netcdf_check(nf90_inquire_variable(ncid, variable%id, ndims=variable%rank))
    if (variable%rank < 1 .or. variable%rank > most_dims + 1) then
      errmsg = trim(name)//': expected one to four dims in the file'
      call check(1)
    end if
    call netcdf_check(nf90_inquire_variable(ncid, variable%id, dimids=ids))
    call netcdf_check(nf90_get_att(ncid, variable%id, 'units', variable%units))
    call netcdf_check(nf90_get_att(ncid, variable%id, 'dims', variable%dims))
    do i = 1, variable%rank
      call netcdf_check(nf90_inquire_dimension(ncid, ids(i), len=extent(i)))
    end do
    select case (variable%rank)
    case (1)
      allocate (variable%r1(extent(1)))
      call netcdf_check(nf90_get_var(ncid, variable%id, variable%r1))
    case (2)
      allocate (variable%r2(extent(1), extent(2)))
      call netcdf_check(nf90_get_var(ncid, variable%id, variable%r2))
    case (3)
      allocate (variable%r3(extent(1), extent(2), extent(3)))
      call netcdf_check(nf90_get_var(ncid, variable%id, variable%r3))
    case default
      allocate (variable%r4(extent(1), extent(2), extent(3), extent(4)))
      call netcdf_check(nf90_get_var(ncid, variable%id, variable%r4))
    end select
  end subroutine read_variable

  !> State variables are stored flat, as (column times element).
  subroutine set_state()
    type(variable_t) :: values
    integer :: i
    do i = 1, count(state /= '')
      values = variable_t()
      call read_variable(state(i), values)
      call columns%state_set(trim(state(i)), values%r1, stat, errmsg)
      call check(stat)
    end do
  end subroutine set_state

  subroutine write_state()
    type(variable_t) :: values
    integer :: i
    do i = 1, count(state /= '')
      values = variable_t()
      call read_variable(state(i), values)
      call columns%state_get(trim(state(i)), values%r1, stat, errmsg)
      call check(stat)
      call netcdf_check(nf90_put_var(ncid, values%id, values%r1))
    end do
  end subroutine write_state

  subroutine write_outputs()
    integer :: i
    do i = count(inputs /= '') + 1, size(bound)
      select case (bound(i)%rank)
      case (1)
        call netcdf_check(nf90_put_var(ncid, bound(i)%id, bound(i)%r1))
      case (2)
        call netcdf_check(nf90_put_var(ncid, bound(i)%id, bound(i)%r2))
      case (3)
        call netcdf_check(nf90_put_var(ncid, bound(i)%id, bound(i)%r3))
      case default
        call netcdf_check(nf90_put_var(ncid, bound(i)%id, bound(i)%r4))
      end select
    end do
  end subroutine write_outputs

  subroutine netcdf_check(status)
    integer, intent(in) :: status
    if (status == nf90_noerr) return
    errmsg = trim(file)//': '//nf90_strerror(status)
    call check(1)
  end subroutine netcdf_check

  subroutine check(status)
    integer, intent(in) :: status
    if (status == 0) return
    write (error_unit, '(a)') trim(errmsg)
    stop 1, quiet = .true.
  end subroutine check

end program verify_host
