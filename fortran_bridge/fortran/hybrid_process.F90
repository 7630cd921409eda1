!> What belongs to the process rather than to a closure: its library, devices and files.
module hybrid_process
  use, intrinsic :: iso_c_binding, only: c_char, c_int, c_loc, c_null_char
  use, intrinsic :: iso_fortran_env, only: int64, int8
  use hybrid_c_abi, only: hybrid_device_count, hybrid_error_file, hybrid_local_device, &
    hybrid_version
  use hybrid_text, only: c_string, f_string, fail, report, text_length
  implicit none
  private

  public :: device_count, library_version, local_device, read_bytes

contains

  !> Read a file, so that one rank reads an archive, broadcasts its bytes, and all ranks load them.
  subroutine read_bytes(path, bytes, stat, errmsg)
    character(len=*), intent(in) :: path
    integer(int8), allocatable, intent(out) :: bytes(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=200) :: message
    integer(int64) :: n_byte
    integer :: unit, status
    message = ''
    open (newunit=unit, file=trim(path), access='stream', form='unformatted', status='old', &
          action='read', iostat=status, iomsg=message)
    if (status == 0) then
      inquire (unit=unit, size=n_byte)
      allocate (bytes(max(n_byte, 0_int64)))
      read (unit, iostat=status, iomsg=message) bytes
      close (unit)
    end if
    if (status /= 0) then
      if (allocated(bytes)) deallocate (bytes)
      call fail(trim(path)//": expected a readable file, got '"//trim(message)// &
                "'; check the path", hybrid_error_file, stat, errmsg)
    else if (present(stat)) then
      stat = 0
    end if
  end subroutine read_bytes

  !> Name of the device of this process, as in 'cuda:1': its rank on the node modulo `count`; 'cpu'
  !> if `count` is 0. Blanks follow. The rank is read from the environment that MPI or Slurm sets;
  !> no communication.
  function local_device(kind, count, stat, errmsg) result(device)
    character(len=*), intent(in) :: kind
    integer, intent(in) :: count
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    ! The longest is the kind, a colon and a number.
    character(len=len_trim(kind) + 24) :: device
    character(kind=c_char), target :: buffer(len(device) + 1)
    buffer = c_null_char
    call report(hybrid_local_device(c_string(kind), int(count, c_int), buffer, &
                                    int(size(buffer), c_int)), stat, errmsg)
    device = f_string(c_loc(buffer))
  end function local_device

  !> Number of devices of a kind ('cuda') that an engine can use; 0 if none.
  integer function device_count(engine, kind, stat, errmsg)
    character(len=*), intent(in) :: engine, kind
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer(c_int) :: count
    count = 0
    call report(hybrid_device_count(c_string(engine), c_string(kind), count), stat, errmsg)
    device_count = int(count)
  end function device_count

  !> Version of the library, for example '0.1.0'.
  function library_version() result(text)
    character(len=text_length(hybrid_version())) :: text
    text = f_string(hybrid_version())
  end function library_version

end module hybrid_process
