!> What belongs to a process: an archive read once, messages, devices, what a closure says of
!> itself. Arguments: an archive of y = 2 x with trust 1 - |x|/2, and a path to write to.
module listening
  use hybrid, only: hybrid_log_info, hybrid_log_warning
  implicit none (type, external)
  private
  public :: listen

  integer, public :: n_info = 0, n_warning = 0
  character(len=2000), public :: heard = ''

contains

  subroutine listen(level, text)
    integer, intent(in) :: level
    character(len=*), intent(in) :: text
    if (level == hybrid_log_info) n_info = n_info + 1
    if (level == hybrid_log_warning) n_warning = n_warning + 1
    heard = text
  end subroutine listen

end module listening

program session
  use, intrinsic :: iso_fortran_env, only: int64, int8, real64
  use hybrid, only: binding_t, closure_t, device_count, hybrid_error_archive, hybrid_error_file, &
    library_version, local_device, log_to, read_bytes
  use listening, only: heard, listen, n_info, n_warning
  implicit none (type, external)

  type(closure_t) :: closure
  type(binding_t) :: columns
  integer(int8), allocatable :: bytes(:)
  character(len=1024) :: archive
  character(len=500) :: errmsg
  real(real64) :: y(2)
  integer :: stat, unit
  integer(int64) :: n_byte

  call get_command_argument(1, archive)
  call log_to(listen)
  call read_bytes(archive, bytes)
  inquire (file=trim(archive), size=n_byte)
  if (size(bytes, kind=int64) /= n_byte) error stop 'not the whole file'
  call closure%load_bytes(bytes, label='from rank 0', engine='auto', device='cpu', threads=1)
  if (n_info /= 1 .or. index(heard, 'guarded 1.0') == 0) error stop 'no word on the engine'
  bytes = 0_int8
  call fields()
  call columns%create(closure, 2)
  call columns%put('x', [0.25_real64, 4.0_real64], dims='column', units='1')
  call columns%apply(7)
  if (n_warning /= 1 .or. index(heard, 'at step 7') == 0) error stop 'no word on the flagged column'
  call columns%get('y', y, dims='column', units='m')
  if (any(abs(y - [0.5_real64, 8.0_real64]) > 0.0_real64)) error stop 'not that closure'

  call log_to()
  call closure%load(archive, engine='torchscript', device='cpu', threads=1)
  if (n_info /= 1) error stop 'the procedure was called after log_to()'

  call closure%load_bytes(bytes, label='from rank 0', stat=stat, errmsg=errmsg)
  if (stat /= hybrid_error_archive .or. index(errmsg, 'from rank 0: ') /= 1) error stop 'damaged'
  call closure%load_bytes(bytes(:0), stat=stat, errmsg=errmsg)
  if (stat /= hybrid_error_archive .or. index(errmsg, 'archive in memory: ') /= 1) &
    error stop 'no bytes'
  call read_bytes('nowhere/none.pt', bytes, stat=stat, errmsg=errmsg)
  if (stat /= hybrid_error_file .or. allocated(bytes)) error stop 'a file that is missing'
  if (index(errmsg, "nowhere/none.pt: expected a readable file, got '") /= 1) error stop errmsg
  call read_bytes('.', bytes, stat=stat, errmsg=errmsg)
  if (stat /= hybrid_error_file .or. allocated(bytes)) error stop 'a folder'
  open (newunit=unit, file='empty', status='new', action='write')
  close (unit)
  call read_bytes('empty', bytes)
  if (size(bytes) /= 0) error stop 'an empty file'

  if (local_device('cuda', 0) /= 'cpu') error stop 'without devices'
  ! The test says in the environment that this is rank 5 of its node.
  if (local_device('cuda', 4) /= 'cuda:1') error stop 'which of four devices'
  if (len(local_device('cuda', -1, stat, errmsg)) /= 0 .or. stat == 0) error stop 'devices missing'
  if (device_count('torchscript', 'nonsense', stat, errmsg) /= 0) error stop 'unknown devices'
  if (stat /= 0) error stop errmsg
  if (device_count('none', 'cuda', stat, errmsg) /= 0 .or. stat == 0) error stop 'no such engine'
  write (*, '(a)') library_version()

contains

  subroutine fields()
    if (index(closure%describe(), 'output y [m] (column), float32, from -1.5, to 1.5') == 0) &
      error stop 'describe'
    if (index(closure%manifest(), '"guarded"') == 0) error stop 'manifest'
    if (closure%field_count('inputs') /= 1 .or. closure%field_count('outputs') /= 2 .or. &
        closure%field_count('noise') /= 0 .or. closure%field_count('fields') /= -1) &
      error stop 'field_count'
    if (closure%field_name('outputs', 2) /= 'trust') error stop 'field_name'
    if (closure%field_name('outputs', 3) /= '' .or. closure%field_name('outputs', 0) /= '') &
      error stop 'a name of no field'
    if (closure%field_units('y') /= 'm' .or. closure%field_units('z') /= '') &
      error stop 'field_units'
    if (closure%field_size('y') /= 1 .or. closure%field_size('z') /= -1) error stop 'field_size'
  end subroutine fields

end program session
