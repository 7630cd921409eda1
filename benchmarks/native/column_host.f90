! The columns of the ClimSim host, for a benchmark that drives them from outside.

module column_host
  use, intrinsic :: iso_c_binding, only: c_bool, c_char, c_f_pointer, c_int, c_loc, c_null_ptr, &
    c_ptr
  use, intrinsic :: iso_fortran_env, only: error_unit
  use climsim_columns, only: columns_t
  implicit none(type, external)
  private
  public :: host_free, host_input, host_open, host_step

  type :: host_t
    type(columns_t) :: columns
    integer :: step = 0
  end type host_t

contains

  !> Null if the archive cannot be loaded or bound; the reason is on standard error.
  type(c_ptr) function host_open(path, length, n_column, n_level, reproducible) &
    bind(c, name='column_host_open')
    integer(c_int), intent(in), value :: length, n_column, n_level
    character(kind=c_char), intent(in) :: path(length)
    logical(c_bool), intent(in), value :: reproducible
    type(host_t), pointer :: host
    character(len=length) :: archive
    character(len=1024) :: errmsg
    integer :: stat, i
    do i = 1, length
      archive(i:i) = path(i)
    end do
    allocate (host)
    host%columns%reproducible = reproducible
    ! What stands beside it is a call of TorchScript.
    call host%columns%set_engine('torchscript')
    call host%columns%load(archive, stat, errmsg)
    if (stat == 0) call host%columns%resize(n_column, n_level, stat, errmsg)
    host_open = c_loc(host)
    if (stat == 0) return
    write (error_unit, '(a)') trim(errmsg)
    host_open = c_null_ptr
  end function host_open

  !> Address of the inputs, real64 (column, feature) in Fortran's order.
  type(c_ptr) function host_input(context) bind(c, name='column_host_input')
    type(c_ptr), intent(in), value :: context
    type(host_t), pointer :: host
    call c_f_pointer(context, host)
    host_input = c_loc(host%columns%input)
  end function host_input

  !> One step of the host; not zero if it failed.
  integer(c_int) function host_step(context) bind(c, name='column_host_step')
    type(c_ptr), intent(in), value :: context
    type(host_t), pointer :: host
    character(len=1024) :: errmsg
    integer :: stat
    call c_f_pointer(context, host)
    host%step = host%step + 1
    call host%columns%advance(host%step, stat, errmsg)
    host_step = int(stat, c_int)
  end function host_step

  subroutine host_free(context) bind(c, name='column_host_free')
    type(c_ptr), intent(in), value :: context
    type(host_t), pointer :: host
    call c_f_pointer(context, host)
    call host%columns%free()
    deallocate (host)
  end subroutine host_free

end module column_host
