!> Daily zonal means of the host model, and what its schemes cost.
module hybrid_climate
  use, intrinsic :: iso_fortran_env, only: int32, real32
  use pumamod, only: deglat, dlhfl, dlwfl, dp, dprc, dprl, dq, dsigma, dshfl, dswfl, dt, ga, &
    mypid, NHOR, NLEP, NLEV, NLON, NLPP, nstep, ntspd
  implicit none(type, external)
  private

  public :: climate_step, report_file

  character(len=*), parameter :: report_file = 'hybrid_report'

  integer, parameter :: n_single = 9
  integer :: unit = 0, n_step = 0
  real :: sums(NLPP, n_single + 2*NLEV)

contains

  !> Add the state at the end of radiation; true where a day is complete and was written.
  !>
  !> A record is the step as int32, then in real32 the latitudes [degree], and the zonal means of:
  !> surface temperature [K]; outgoing longwave, absorbed shortwave at the top, net downward
  !> longwave and shortwave, sensible and latent heat at the surface, positive downward but for the
  !> first [W m-2]; precipitation [m s-1]; precipitable water [kg m-2]; temperature [K] and specific
  !> humidity [kg kg-1] at each level, the top first.
  logical function climate_step() result(is_complete)
    real :: water(NHOR)
    integer :: k
    if (unit == 0) call open_file()
    water = matmul(dq(:, 1:NLEV), dsigma)*dp/ga
    call add(1, dt(:, NLEP))
    call add(2, -dlwfl(:, 1))
    call add(3, dswfl(:, 1))
    call add(4, dlwfl(:, NLEP))
    call add(5, dswfl(:, NLEP))
    call add(6, dshfl)
    call add(7, dlhfl)
    call add(8, dprc + dprl)
    call add(9, water)
    do k = 1, NLEV
      call add(n_single + k, dt(:, k))
      call add(n_single + NLEV + k, dq(:, k))
    end do
    n_step = n_step + 1
    is_complete = n_step == ntspd
    if (.not. is_complete) return
    write (unit) int(nstep, int32), real(deglat, real32), real(sums/n_step, real32)
    flush (unit)
    sums = 0.0
    n_step = 0
  end function climate_step

  subroutine open_file()
    character(len=32) :: name
    write (name, '(a, i0)') 'hybrid_climate.', mypid
    open (newunit=unit, file=name, access='stream', form='unformatted', status='replace', &
          action='write')
    sums = 0.0
  end subroutine open_file

  subroutine add(i, values)
    integer, intent(in) :: i
    real, intent(in) :: values(NHOR)
    sums(:, i) = sums(:, i) + sum(reshape(values, [NLON, NLPP]), dim=1)/NLON
  end subroutine add
end module hybrid_climate
