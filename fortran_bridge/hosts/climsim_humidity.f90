! Relative humidity and phase of cloud water, as ClimSim's online networks define them.

module climsim_humidity
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: liquid_partition, relative_humidity

  real(real64), parameter :: freezing = 273.16_real64      !< origin of the polynomials [K]
  real(real64), parameter :: all_ice = 253.16_real64       !< below, cloud water is ice [K]
  real(real64), parameter :: mixed_range = 20.0_real64     !< width of both phases [K]
  real(real64), parameter :: gas_dry = 287.0_real64        !< gas constant of dry air [J kg-1 K-1]
  real(real64), parameter :: gas_vapour = 461.0_real64     !< of water vapour [J kg-1 K-1]

  ! Saturation vapour pressure [hPa] by powers of T - 273.16 K, the highest first: Flatau, Walko
  ! and Cotton 1992, J. Appl. Meteorol. 31, table 4; below 185 K a parabola.
  real(real64), parameter :: liquid(9) = [ &
    -0.976195544e-15_real64, -0.952447341e-13_real64, 0.640689451e-10_real64, &
    0.206739458e-7_real64, 0.302950461e-5_real64, 0.264847430e-3_real64, &
    0.142986287e-1_real64, 0.443987641_real64, 6.11239921_real64]
  real(real64), parameter :: ice(9) = [ &
    0.252751365e-14_real64, 0.146898966e-11_real64, 0.385852041e-9_real64, &
    0.602588177e-7_real64, 0.615021634e-5_real64, 0.420895665e-3_real64, &
    0.188439774e-1_real64, 0.503160820_real64, 6.11147274_real64]
  real(real64), parameter :: coldest_ice(3) = [ &
    7.48215e-7_real64, 0.000151069_real64, 0.00763685_real64]

contains

  !> Fraction of cloud water that is liquid [1]: a ramp in temperature [K].
  elemental real(real64) function liquid_partition(temperature)
    real(real64), intent(in) :: temperature
    liquid_partition = min(max((temperature - all_ice)/mixed_range, 0.0_real64), 1.0_real64)
  end function liquid_partition

  !> Specific humidity [kg kg-1] over its saturation value at temperature [K] and pressure [Pa].
  elemental real(real64) function relative_humidity(temperature, humidity, pressure)
    real(real64), intent(in) :: temperature, humidity, pressure
    relative_humidity = humidity*gas_vapour*pressure/(gas_dry*saturation_pressure(temperature))
  end function relative_humidity

  !> Saturation vapour pressure [Pa] over the mixture of `liquid_partition`.
  elemental real(real64) function saturation_pressure(temperature)
    real(real64), intent(in) :: temperature
    real(real64) :: celsius, over_liquid, over_ice, fraction
    celsius = temperature - freezing
    over_liquid = polynomial(liquid, max(celsius, -80.0_real64))
    if (temperature > 273.15_real64) then
      over_ice = over_liquid
    else if (temperature > 185.0_real64) then
      over_ice = polynomial(ice, celsius)
    else
      over_ice = polynomial(coldest_ice, max(celsius, -100.0_real64))
    end if
    fraction = liquid_partition(temperature)
    saturation_pressure = 100.0_real64*(fraction*over_liquid + (1.0_real64 - fraction)*over_ice)
  end function saturation_pressure

  pure real(real64) function polynomial(coefficients, x)
    real(real64), intent(in) :: coefficients(:), x
    integer :: i
    polynomial = 0.0_real64
    do i = 1, size(coefficients)
      polynomial = polynomial*x + coefficients(i)
    end do
  end function polynomial

end module climsim_humidity
