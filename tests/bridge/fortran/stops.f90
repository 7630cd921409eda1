!> Without `stat`, an error stops the program with the message.
program stops
  use hybrid, only: closure_t
  implicit none (type, external)
  type(closure_t) :: closure
  call closure%load('nowhere/none.pt')
end program stops
