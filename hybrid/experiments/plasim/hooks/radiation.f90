!> What the host model calls by the names of its own schemes.
module hybrid_radiation
  use hybrid_climate, only: climate_step, report_file
  use hybrid_longwave, only: longwave
  use hybrid_scheme, only: member_of_run
  use hybrid_shortwave, only: shortwave
  use pumamod, only: dlwfl, mypid, NHOR, NROOT
  implicit none(type, external)
  private

  public :: longwave_step, shortwave_step

  logical :: is_started = .false.

contains

  subroutine shortwave_step()
    if (.not. is_started) then
      call longwave%start('longwave', NHOR, mypid)
      call shortwave%start('shortwave', NHOR, mypid)
      is_started = .true.
    end if
    call shortwave%step()
  end subroutine shortwave_step

  !> The host calls this after the shortwave part.
  subroutine longwave_step()
    logical :: is_first
    is_first = longwave%n_step == 0
    call longwave%step()
    if (is_first) call perturb(member_of_run())
    if (climate_step() .and. mypid == NROOT) call write_report()
  end subroutine longwave_step

  !> Change the first longwave fluxes by at most 1 in 1000, in another way for each member of an
  !> ensemble; member 0 is left as it is.
  subroutine perturb(member)
    integer, intent(in) :: member
    integer :: i
    if (member == 0) return
    do i = 1, NHOR
      dlwfl(i, :) = dlwfl(i, :)*(1.0 + 1.0e-3*sin(12.9898*real(i) + 78.233*real(member)))
    end do
  end subroutine perturb

  subroutine write_report()
    integer :: unit
    open (newunit=unit, file=report_file, status='replace', action='write')
    call shortwave%report(unit)
    call longwave%report(unit)
    close (unit)
  end subroutine write_report
end module hybrid_radiation

subroutine lwr()
  use hybrid_radiation, only: longwave_step
  implicit none(type, external)
  call longwave_step()
end subroutine lwr

subroutine swr()
  use hybrid_radiation, only: shortwave_step
  implicit none(type, external)
  call shortwave_step()
end subroutine swr
