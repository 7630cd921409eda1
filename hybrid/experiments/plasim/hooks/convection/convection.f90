!> The place of the host's moist convection.
module hybrid_convection
  use hybrid_exchange, only: exchange_t
  use hybrid_scheme, only: scheme_t
  use pumamod, only: acpd, adv, alv, deltsec2, dp, dprc, dprs, dq, dqdt, dqt, dsigma, dt, dtdt, &
    ga, NHOR, NLEP, NLEV, sigma
  use rainmod, only: dprcl, dprscl, icclev, icctot
  implicit none(type, external)
  private

  public :: convection

  !> Above this part of the surface pressure a cloud's top layer is cirrus to the host.
  real, parameter :: cirrus = 0.4

  !> Heating [K s-1] and moistening [kg kg-1 s-1].
  type :: tendencies_t
    real :: heating(NHOR, NLEV), moistening(NHOR, NLEV)
  end type tendencies_t

  abstract interface
    subroutine scheme_interface()
      implicit none(type, external)
    end subroutine scheme_interface
  end interface

  !> What convection does to a column, as water that condenses in the layers and as what goes from
  !> layer to layer: fluxes that are positive downward and nothing at both ends. Whatever they are,
  !> condensed water leaves the vapour and its heat is in the layer, and transport makes nothing.
  !> If `varied`, what the host's other schemes would make of a column is recorded as well.
  type, extends(scheme_t) :: convection_t
    real :: condensation(NHOR, NLEV), moisture(NHOR, NLEP), heat(NHOR, NLEP)
    real :: held_condensation(NHOR, NLEV), held_moisture(NHOR, NLEP), held_heat(NHOR, NLEP)
    real :: earlier_dqdt(NHOR, NLEV), earlier_dtdt(NHOR, NLEV)
    type(tendencies_t) :: betts_miller, adjustment
  contains
    procedure :: vary
    procedure :: native
    procedure :: native_where
    procedure :: hold
    procedure :: recall
    procedure :: complete
    procedure :: inputs
    procedure :: outputs
  end type convection_t

  type(convection_t) :: convection

contains

  !> The host's scheme adds to tendencies, so what it does is what it has changed.
  subroutine native(self)
    class(convection_t), intent(inout) :: self
    interface
      subroutine kuo_phys()
        implicit none(type, external)
      end subroutine kuo_phys
    end interface
    real :: mass(NHOR)
    integer :: k
    call keep_tendencies(self)
    call kuo_phys()
    self%moisture(:, 1) = 0.0
    self%heat(:, 1) = 0.0
    do k = 1, NLEV
      mass = dp*dsigma(k)/ga
      self%condensation(:, k) = dprcl(:, k)*dp/ga
      self%moisture(:, k + 1) = self%moisture(:, k) - self%condensation(:, k) &
        - mass*(dqdt(:, k) - self%earlier_dqdt(:, k))
      self%heat(:, k + 1) = self%heat(:, k) + acpd*(self%condensation(:, k)*alv/heat_capacity(k) &
        - mass*(dtdt(:, k) - self%earlier_dtdt(:, k)))
    end do
  end subroutine native

  !> The host's scheme looks for a cloud where moisture comes together, so it is made dry wherever
  !> nothing is wanted.
  subroutine native_where(self, wanted)
    class(convection_t), intent(inout) :: self
    logical, intent(in) :: wanted(:)
    real :: adiabatic(NHOR, NLEV)
    integer :: k
    adiabatic = dqt(:, 1:NLEV)
    do k = 1, NLEV
      where (.not. wanted) dqt(:, k) = -1.0 - dqdt(:, k)
    end do
    call self%native()
    dqt(:, 1:NLEV) = adiabatic
  end subroutine native_where

  subroutine hold(self)
    class(convection_t), intent(inout) :: self
    self%held_condensation = self%condensation
    self%held_moisture = self%moisture
    self%held_heat = self%heat
  end subroutine hold

  subroutine recall(self)
    class(convection_t), intent(inout) :: self
    call keep_tendencies(self)
    self%condensation = self%held_condensation
    self%moisture = self%held_moisture
    self%heat = self%held_heat
    call self%complete()
  end subroutine recall

  !> Tendencies, and what the host's rain and clouds are made from. In a shadow run they are the
  !> host's own to the last bit.
  subroutine complete(self)
    class(convection_t), intent(inout) :: self
    real :: mass(NHOR)
    integer :: k
    if (self%mode == 'shadow') return
    do k = 1, NLEV
      mass = dp*dsigma(k)/ga
      dqdt(:, k) = self%earlier_dqdt(:, k) &
        + (self%moisture(:, k) - self%moisture(:, k + 1) - self%condensation(:, k))/mass
      dtdt(:, k) = self%earlier_dtdt(:, k) &
        + ((self%heat(:, k) - self%heat(:, k + 1))/acpd &
           + self%condensation(:, k)*alv/heat_capacity(k))/mass
      dprcl(:, k) = self%condensation(:, k)*ga/dp
    end do
    dprscl = 0.0
    icctot = count(self%condensation > 0.0, dim=2)
    icclev = merge(1, 0, self%condensation > 0.0)
    do k = 1, NLEV
      if (sigma(k) >= cirrus) exit
      where (icclev(:, k) == 1 .and. sum(icclev(:, :k), dim=2) == 1) icclev(:, k) = 2
    end do
  end subroutine complete

  !> The host's scheme begins with the state that the tendencies so far would lead to.
  subroutine inputs(self, exchange)
    class(convection_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    real :: profile(NHOR, NLEV)
    call keep_tendencies(self)
    profile = dt(:, 1:NLEV) + dtdt(:, 1:NLEV)*deltsec2
    call exchange%profile('temperature', 'K', 'level', profile)
    profile = dq(:, 1:NLEV) + dqdt(:, 1:NLEV)*deltsec2
    call exchange%profile('specific_humidity', 'kg kg-1', 'level', profile)
    profile = dqt(:, 1:NLEV) + dqdt(:, 1:NLEV)
    call exchange%profile('moisture_accession', 'kg kg-1 s-1', 'level', profile)
    call exchange%scalar('surface_temperature', 'K', dt(:, NLEP))
    call exchange%scalar('surface_humidity', 'kg kg-1', dq(:, NLEP))
    call exchange%scalar('surface_pressure', 'Pa', dp)
  end subroutine inputs

  subroutine outputs(self, exchange)
    class(convection_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    call exchange%profile('condensation', 'kg m-2 s-1', 'level', self%condensation)
    call exchange%profile('moisture_flux', 'kg m-2 s-1', 'interface', self%moisture)
    call exchange%profile('heat_flux', 'W m-2', 'interface', self%heat)
    if (.not. self%varied) return
    call hand_over(exchange, 'betts_miller', self%betts_miller)
    call hand_over(exchange, 'adjustment', self%adjustment)
  end subroutine outputs

  subroutine vary(self)
    class(convection_t), intent(inout) :: self
    procedure(scheme_interface) :: mca, mkbm
    call keep_tendencies(self)
    call compute_other(self, mkbm, self%betts_miller)
    call compute_other(self, mca, self%adjustment)
  end subroutine vary

  !> Others add to tendencies, too, and to snow; rain is theirs from nothing.
  subroutine compute_other(self, scheme, tendencies)
    class(convection_t), intent(in) :: self
    procedure(scheme_interface) :: scheme
    type(tendencies_t), intent(out) :: tendencies
    real :: rain(NHOR), snow(NHOR)
    rain = dprc
    snow = dprs
    dprc = 0.0
    call scheme()
    tendencies%heating = dtdt(:, 1:NLEV) - self%earlier_dtdt
    tendencies%moistening = dqdt(:, 1:NLEV) - self%earlier_dqdt
    dtdt(:, 1:NLEV) = self%earlier_dtdt
    dqdt(:, 1:NLEV) = self%earlier_dqdt
    dprc = rain
    dprs = snow
  end subroutine compute_other

  subroutine hand_over(exchange, name, tendencies)
    class(exchange_t), intent(inout) :: exchange
    character(len=*), intent(in) :: name
    type(tendencies_t), intent(inout) :: tendencies
    call exchange%profile(name//'_heating', 'K s-1', 'level', tendencies%heating)
    call exchange%profile(name//'_moistening', 'kg kg-1 s-1', 'level', tendencies%moistening)
  end subroutine hand_over

  subroutine keep_tendencies(self)
    class(convection_t), intent(inout) :: self
    self%earlier_dqdt = dqdt(:, 1:NLEV)
    self%earlier_dtdt = dtdt(:, 1:NLEV)
  end subroutine keep_tendencies

  !> Of the air of a layer, at constant pressure [J kg-1 K-1].
  function heat_capacity(k) result(capacity)
    integer, intent(in) :: k
    real :: capacity(NHOR)
    capacity = acpd*(1.0 + adv*dq(:, k))
  end function heat_capacity
end module hybrid_convection
