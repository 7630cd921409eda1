!> The place of the host's shortwave radiation.
module hybrid_shortwave
  use hybrid_exchange, only: exchange_t
  use hybrid_scheme, only: scheme_t
  use pumamod, only: dalb, dcc, dfd, dfu, dicec, dls, dp, dq, dql, dqo3, dswfl, dt, NHOR, NLEP, &
    NLEV
  use radmod, only: gdist2, gmu0, gsol0, zsolar1, zsolar2
  implicit none(type, external)
  private

  public :: shortwave

  type, extends(scheme_t) :: shortwave_t
    real :: up(NHOR, NLEP), down(NHOR, NLEP)
  contains
    procedure :: native
    procedure :: native_where
    procedure :: hold
    procedure :: recall
    procedure :: complete
    procedure :: inputs
    procedure :: outputs
  end type shortwave_t

  type(shortwave_t) :: shortwave

contains

  subroutine native(self)
    class(shortwave_t), intent(inout) :: self
    interface
      subroutine swr_phys()
        implicit none(type, external)
      end subroutine swr_phys
    end interface
    call swr_phys()
  end subroutine native

  !> The host's scheme leaves out columns in which the sun does not shine, so it is night wherever
  !> nothing is wanted.
  subroutine native_where(self, wanted)
    class(shortwave_t), intent(inout) :: self
    logical, intent(in) :: wanted(:)
    real :: cosine(NHOR)
    cosine = gmu0
    where (.not. wanted) gmu0 = 0.0
    call self%native()
    gmu0 = cosine
  end subroutine native_where

  subroutine hold(self)
    class(shortwave_t), intent(inout) :: self
    self%up = dfu
    self%down = dfd
  end subroutine hold

  subroutine recall(self)
    class(shortwave_t), intent(inout) :: self
    dfu = self%up
    dfd = self%down
    call self%complete()
  end subroutine recall

  !> Net flux, positive downward like both of its parts.
  subroutine complete(self)
    class(shortwave_t), intent(inout) :: self
    dswfl = dfu + dfd
  end subroutine complete

  !> The host's scheme changes the albedo where the sun shines on open water, so inputs are handed
  !> over before it. Nothing reads the changed albedo before the surface sets it anew.
  subroutine inputs(self, exchange)
    class(shortwave_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    real :: insolation(NHOR)
    insolation = (zsolar1 + zsolar2)*gsol0*gdist2*gmu0
    call exchange%profile('temperature', 'K', 'level', dt(:, 1:NLEV))
    call exchange%profile('specific_humidity', 'kg kg-1', 'level', dq(:, 1:NLEV))
    call exchange%profile('cloud_water', 'kg kg-1', 'level', dql(:, 1:NLEV))
    call exchange%profile('cloud_fraction', '1', 'level', dcc(:, 1:NLEV))
    call exchange%profile('ozone', 'kg kg-1', 'level', dqo3)
    call exchange%scalar('surface_pressure', 'Pa', dp)
    call exchange%scalar('land_fraction', '1', dls)
    call exchange%scalar('ice_fraction', '1', dicec)
    call exchange%scalar('albedo', '1', dalb)
    call exchange%scalar('cosine_of_zenith_angle', '1', gmu0)
    call exchange%scalar('insolation', 'W m-2', insolation)
  end subroutine inputs

  subroutine outputs(self, exchange)
    class(shortwave_t), intent(inout) :: self
    class(exchange_t), intent(inout) :: exchange
    call exchange%profile('upward_shortwave', 'W m-2', 'interface', dfu)
    call exchange%profile('downward_shortwave', 'W m-2', 'interface', dfd)
  end subroutine outputs
end module hybrid_shortwave
