! The files between which the Lorenz-96 host runs: where it starts, and where it stopped.
!
! Both hold x(member, k) and the closure's state under the names of its fields: (member, k), or
! (member, k, element) for a field with several elements a column. A restart file also holds the
! number of the last step, and is read like an initial file. Values are stored in full precision,
! so that the run goes on bit for bit.

module lorenz96_restart
  use, intrinsic :: iso_fortran_env, only: real64
  use netcdf, only: nf90_64bit_offset, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, &
    nf90_def_var, nf90_double, nf90_enddef, nf90_get_var, nf90_inq_varid, nf90_inquire, &
    nf90_inquire_dimension, nf90_inquire_variable, nf90_int, nf90_max_name, nf90_noerr, &
    nf90_nowrite, nf90_open, nf90_put_var
  use lorenz96_netcdf, only: check, put_run_attributes, put_text
  use lorenz96_settings, only: fail, settings_t
  implicit none(type, external)
  private
  public :: read_start, start_t, state_t, write_restart

  !> One state field of the closure.
  type :: state_t
    character(len=nf90_max_name) :: name = '', units = ''
    real(real64), allocatable :: values(:, :)       !< (element, n_k * n_member), k before member
  end type state_t

  !> Where a run starts or has stopped.
  type :: start_t
    integer :: step = 0                             !< steps done before
    integer :: n_k = 0, n_member = 0
    real(real64), allocatable :: x(:)               !< (n_k * n_member), k before member
    type(state_t), allocatable :: state(:)
  end type start_t

contains

  !> Read an initial file or a restart file.
  subroutine read_start(path, start)
    character(len=*), intent(in) :: path
    type(start_t), intent(out) :: start
    integer :: file, x_id, step_id, id, n_variable, n_dim, dims(2)
    type(state_t) :: field

    call check(nf90_open(path, nf90_nowrite, file), path)
    call check(nf90_inq_varid(file, 'x', x_id), path//': variable x')
    call check(nf90_inquire_variable(file, x_id, ndims=n_dim), path)
    if (n_dim /= 2) call fail(path//': x: expected dimensions (member, k)')
    call check(nf90_inquire_variable(file, x_id, dimids=dims), path)
    call check(nf90_inquire_dimension(file, dims(1), len=start%n_k), path)
    call check(nf90_inquire_dimension(file, dims(2), len=start%n_member), path)
    if (start%n_k < 4) call fail(path//': x: expected at least 4 values of k')
    if (nf90_inq_varid(file, 'step', step_id) == nf90_noerr) then
      call check(nf90_get_var(file, step_id, start%step), path//': variable step')
    end if
    call read_field(file, path, x_id, dims, field)
    start%x = field%values(1, :)
    allocate (start%state(0))
    call check(nf90_inquire(file, nvariables=n_variable), path)
    do id = 1, n_variable
      call check(nf90_inquire_variable(file, id, ndims=n_dim), path)
      if (n_dim < 2 .or. id == x_id) cycle
      call read_field(file, path, id, dims, field)
      start%state = [start%state, field]
    end do
    call check(nf90_close(file), path)
  end subroutine read_start

  !> Read a variable whose last dimensions are those of x, `columns`.
  subroutine read_field(file, path, id, columns, field)
    integer, intent(in) :: file, id, columns(2)
    character(len=*), intent(in) :: path
    type(state_t), intent(out) :: field
    integer :: n_dim, dims(3), n_element, n_k, n_member
    real(real64), allocatable :: values(:, :, :)

    call check(nf90_inquire_variable(file, id, name=field%name, ndims=n_dim), path)
    if (n_dim > 3) call fail(path//': '//trim(field%name)//': expected at most 3 dimensions')
    call check(nf90_inquire_variable(file, id, dimids=dims(4 - n_dim:)), path)
    if (any(dims(2:) /= columns)) call fail(path//': '//trim(field%name)// &
      ': expected dimensions (member, k) or (member, k, element), those of x')
    n_element = 1
    if (n_dim == 3) call check(nf90_inquire_dimension(file, dims(1), len=n_element), path)
    call check(nf90_inquire_dimension(file, dims(2), len=n_k), path)
    call check(nf90_inquire_dimension(file, dims(3), len=n_member), path)
    allocate (values(n_element, n_k, n_member))
    if (n_dim == 3) then
      call check(nf90_get_var(file, id, values), path//': '//trim(field%name))
    else
      call check(nf90_get_var(file, id, values(1, :, :)), path//': '//trim(field%name))
    end if
    field%values = reshape(values, [n_element, n_k*n_member])
  end subroutine read_field

  !> Write where the run has stopped.
  subroutine write_restart(path, settings, stop_at)
    character(len=*), intent(in) :: path
    type(settings_t), intent(in) :: settings
    type(start_t), intent(in) :: stop_at
    integer :: file, k_dim, member_dim, element_dim, step_id, x_id, i
    integer :: id(size(stop_at%state))

    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_offset), file), path)
    call check(nf90_def_dim(file, 'k', stop_at%n_k, k_dim), path)
    call check(nf90_def_dim(file, 'member', stop_at%n_member, member_dim), path)
    call check(nf90_def_var(file, 'step', nf90_int, step_id), path)
    call put_text(file, step_id, 'long_name', 'number of the last step')
    call check(nf90_def_var(file, 'x', nf90_double, [k_dim, member_dim], x_id), path)
    call put_text(file, x_id, 'units', '1')
    do i = 1, size(stop_at%state)
      associate (field => stop_at%state(i))
        call check(nf90_def_dim(file, trim(field%name)//'_element', size(field%values, 1), &
          element_dim), path)
        call check(nf90_def_var(file, trim(field%name), nf90_double, &
          [element_dim, k_dim, member_dim], id(i)), path)
        call put_text(file, id(i), 'units', trim(field%units))
      end associate
    end do
    call put_run_attributes(file, settings)
    call check(nf90_enddef(file), path)
    call check(nf90_put_var(file, step_id, stop_at%step), path//': step')
    call check(nf90_put_var(file, x_id, reshape(stop_at%x, [stop_at%n_k, stop_at%n_member])), &
      path//': x')
    do i = 1, size(stop_at%state)
      associate (field => stop_at%state(i))
        call check(nf90_put_var(file, id(i), reshape(field%values, &
          [size(field%values, 1), stop_at%n_k, stop_at%n_member])), path//': '//trim(field%name))
      end associate
    end do
    call check(nf90_close(file), path)
  end subroutine write_restart

end module lorenz96_restart
