!> Prints what a closure loaded in a precision computes in, or why it is refused: from a file, then
!> from memory. Arguments: an archive, an engine, a device, a precision.
program precision
  use hybrid, only: closure_t, read_bytes
  use, intrinsic :: iso_fortran_env, only: int8
  implicit none (type, external)
  type(closure_t) :: closure
  character(len=1024) :: archive, device, engine, asked, errmsg
  integer :: stat
  integer(int8), allocatable :: bytes(:)
  call get_command_argument(1, archive)
  call get_command_argument(2, engine)
  call get_command_argument(3, device)
  call get_command_argument(4, asked)
  call closure%load(trim(archive), trim(engine), trim(device), stat=stat, errmsg=errmsg, &
                    precision=trim(asked))
  call show()
  call read_bytes(trim(archive), bytes)
  call closure%load_bytes(bytes, engine=trim(engine), device=trim(device), stat=stat, &
                          errmsg=errmsg, precision=trim(asked))
  call show()

contains

  subroutine show()
    if (stat /= 0) then
      print '(a)', trim(errmsg)
    else
      print '(a)', closure%describe()
    end if
  end subroutine show

end program precision
