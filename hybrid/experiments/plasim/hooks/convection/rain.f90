!> What the host model calls by the name of its own moist convection.
module hybrid_rain
  use hybrid_climate, only: report_file
  use hybrid_convection, only: convection
  use pumamod, only: mypid, NHOR, NROOT, ntspd
  implicit none(type, external)
  private

  public :: convection_step

  logical :: is_started = .false.

contains

  !> The host calls this after radiation, which has written its report at the end of a day.
  subroutine convection_step()
    integer :: unit
    if (.not. is_started) then
      call convection%start('convection', NHOR, mypid)
      is_started = .true.
    end if
    call convection%step()
    if (modulo(convection%n_step, ntspd) /= 0 .or. mypid /= NROOT) return
    open (newunit=unit, file=report_file, status='old', position='append', action='write')
    call convection%report(unit)
    close (unit)
  end subroutine convection_step
end module hybrid_rain

subroutine kuo()
  use hybrid_rain, only: convection_step
  implicit none(type, external)
  call convection_step()
end subroutine kuo
