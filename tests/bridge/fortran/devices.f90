!> Which device each rank of a node would take, of two and of none.
program devices
  use hybrid, only: local_device
  implicit none (type, external)
  write (*, '(a)') local_device('cuda', 2)//' '//local_device('cuda', 0)
end program devices
