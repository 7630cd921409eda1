!> Prints which engine runs an archive, or why none does. Arguments: the archive, the engine asked
!> for, or '' for a host that asks for none, and a device.
program engine_choice
  use hybrid, only: closure_t
  implicit none (type, external)
  type(closure_t) :: closure
  character(len=1024) :: archive, device, engine, errmsg
  integer :: stat
  call get_command_argument(1, archive)
  call get_command_argument(2, engine)
  call get_command_argument(3, device)
  if (engine == '') then
    call closure%load(trim(archive), device=trim(device), stat=stat, errmsg=errmsg)
  else
    call closure%load(trim(archive), trim(engine), trim(device), stat=stat, errmsg=errmsg)
  end if
  if (stat /= 0) then
    print '(a)', trim(errmsg)
  else
    print '(a)', closure%describe()
  end if
end program engine_choice
