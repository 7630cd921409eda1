!> The place of the host's longwave radiation.
module hybrid_longwave
  use hybrid_exchange, only: exchange_t
  use hybrid_scheme, only: scheme_t
  use pumamod, only: dcc, dftd, dftu, dls, dlwfl, dp, dq, dqco2, dql, dqo3, dt, NHOR, NLEP, NLEV
  implicit none(type, external)
  private

  public :: longwave

  type, extends(scheme_t) :: longwave_t
    real :: up(NHOR, NLEP), down(NHOR, NLEP), carbon_dioxide(NHOR, NLEV)
  contains
    procedure :: native
    procedure :: native_where
    procedure :: hold
    procedure :: recall
    procedure :: complete
    procedure :: vary
    procedure :: settle
    procedure :: inputs
    procedure :: outputs
  end type longwave_t

  type(longwave_t) :: longwave

contains

  subroutine native(self)
    class(longwave_t), intent(inout) :: self
    interface
      subroutine lwr_phys()
        implicit none(type, external)
      end subroutine lwr_phys
    end interface
    call lwr_phys()
  end subroutine native

  !> The host's scheme works on whole arrays of a size that is fixed when it is compiled, and knows
  !> no mask: it computes one column or all for the same price.
  subroutine native_where(self, wanted)
    class(longwave_t), intent(inout) :: self
    logical, intent(in) :: wanted(:)
    if (any(wanted)) call self%native()
  end subroutine native_where

  subroutine hold(self)
    class(longwave_t), intent(inout) :: self
    self%up = dftu
    self%down = dftd
  end subroutine hold

  subroutine recall(self)
    class(longwave_t), intent(inout) :: self
    dftu = self%up
    dftd = self%down
    call self%complete()
  end subroutine recall

  !> Net flux, positive downward like both of its parts.
  subroutine complete(self)
    class(longwave_t), intent(inout) :: self
    dlwfl = dftu + dftd
  end subroutine complete

  !> From a quarter to four times the carbon dioxide of the run, its logarithm by a sequence of low
  !> discrepancy over columns and steps.
  subroutine vary(self)
    class(longwave_t), intent(inout) :: self
    real, parameter :: a_column = 0.7548776662466927, a_step = 0.5698402909980532
    real :: exponent
    integer :: i
    self%carbon_dioxide = dqco2
    do i = 1, NHOR
      exponent = 2.0*modulo(a_column*i + a_step*self%n_step, 1.0) - 1.0
      dqco2(i, :) = dqco2(i, :)*4.0**exponent
    end do
  end subroutine vary

  subroutine settle(self)
    class(longwave_t), intent(inout) :: self
    dqco2 = self%carbon_dioxide
    call self%native()
  end subroutine settle

  !> Carbon dioxide is well mixed, so that of the lowest layer stands for all.
  subroutine inputs(self, exchange)
    class(longwave_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    call exchange%profile('temperature', 'K', 'level', dt(:, 1:NLEV))
    call exchange%profile('specific_humidity', 'kg kg-1', 'level', dq(:, 1:NLEV))
    call exchange%profile('cloud_water', 'kg kg-1', 'level', dql(:, 1:NLEV))
    call exchange%profile('cloud_fraction', '1', 'level', dcc(:, 1:NLEV))
    call exchange%profile('ozone', 'kg kg-1', 'level', dqo3)
    call exchange%scalar('surface_temperature', 'K', dt(:, NLEP))
    call exchange%scalar('surface_pressure', 'Pa', dp)
    call exchange%scalar('land_fraction', '1', dls)
    call exchange%scalar('carbon_dioxide', '1e-6', dqco2(:, NLEV))
  end subroutine inputs

  subroutine outputs(self, exchange)
    class(longwave_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    call exchange%profile('upward_longwave', 'W m-2', 'interface', dftu)
    call exchange%profile('downward_longwave', 'W m-2', 'interface', dftd)
  end subroutine outputs
end module hybrid_longwave
