!> What the host model calls by the name of its own moist convection.
module hybrid_rain
  use hybrid_convection, only: convection
  use pumamod, only: NHOR
  implicit none(type, external)
  private

  public :: convection_step

  logical :: is_started = .false.

contains

  subroutine convection_step()
    if (.not. is_started) then
      call convection%start('convection', NHOR)
      is_started = .true.
    end if
    call convection%step()
  end subroutine convection_step
end module hybrid_rain

subroutine kuo()
  use hybrid_rain, only: convection_step
  implicit none(type, external)
  call convection_step()
end subroutine kuo
