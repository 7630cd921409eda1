!> Daily zonal means and maps of the host model.
module hybrid_climate
  use, intrinsic :: iso_fortran_env, only: int32, real32
  use pumamod, only: deglat, dlhfl, dlwfl, dp, dprc, dprl, dq, dsigma, dshfl, dswfl, dt, du, &
    ga, mypid, NHOR, NLEP, NLEV, NLON, NLPP, nstep, ntspd
  implicit none(type, external)
  private

  public :: climate_step, report_file

  character(len=*), parameter :: report_file = 'hybrid_report'

  integer, parameter :: n_single = 9, n_map = 4
  integer :: unit = 0, map_unit = 0, n_step = 0
  real :: sums(NLPP, n_single + 3*NLEV), maps(NHOR, n_map)

contains

  !> Add the state at the end of radiation; true where a day is complete and was written.
  !>
  !> A record is the step as int32, then in real32 the latitudes [degree], and the zonal means of:
  !> surface temperature [K]; outgoing longwave, absorbed shortwave at the top, net downward
  !> longwave and shortwave, sensible and latent heat at the surface, positive downward but for the
  !> first [W m-2]; precipitation [m s-1]; precipitable water [kg m-2]; temperature [K], specific
  !> humidity [kg kg-1] and eastward wind [m s-1] at each level, the top first.
  !>
  !> A record of the maps is the step, and of each column surface temperature [K], outgoing longwave
  !> and absorbed shortwave at the top [W m-2], precipitation [m s-1]; columns of one latitude are
  !> side by side, latitudes in the order of the other file.
  logical function climate_step() result(is_complete)
    real :: water(NHOR)
    integer :: k
    if (unit == 0) call open_files()
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
      call add(n_single + 2*NLEV + k, du(:, k))
    end do
    maps(:, 1) = maps(:, 1) + dt(:, NLEP)
    maps(:, 2) = maps(:, 2) - dlwfl(:, 1)
    maps(:, 3) = maps(:, 3) + dswfl(:, 1)
    maps(:, 4) = maps(:, 4) + dprc + dprl
    n_step = n_step + 1
    is_complete = n_step == ntspd
    if (.not. is_complete) return
    write (unit) int(nstep, int32), real(deglat, real32), real(sums/n_step, real32)
    flush (unit)
    write (map_unit) int(nstep, int32), real(maps/n_step, real32)
    flush (map_unit)
    sums = 0.0
    maps = 0.0
    n_step = 0
  end function climate_step

  subroutine open_files()
    call open_file('hybrid_climate', unit)
    call open_file('hybrid_maps', map_unit)
    sums = 0.0
    maps = 0.0
  end subroutine open_files

  subroutine open_file(name, unit)
    character(len=*), intent(in) :: name
    integer, intent(out) :: unit
    character(len=32) :: of_rank
    write (of_rank, '(2a, i0)') name, '.', mypid
    open (newunit=unit, file=of_rank, access='stream', form='unformatted', status='replace', &
          action='write')
  end subroutine open_file

  subroutine add(i, values)
    integer, intent(in) :: i
    real, intent(in) :: values(NHOR)
    sums(:, i) = sums(:, i) + sum(reshape(values, [NLON, NLPP]), dim=1)/NLON
  end subroutine add
end module hybrid_climate
