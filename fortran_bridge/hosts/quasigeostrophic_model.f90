! The equations of the two-layer host in the space of waves: all that is no closure.

module quasigeostrophic_model
  use, intrinsic :: iso_fortran_env, only: real64
  use quasigeostrophic_settings, only: physics_t
  implicit none(type, external)
  private
  public :: waves_t

  real(real64), parameter :: pi = 4.0_real64*atan(1.0_real64)
  complex(real64), parameter :: i = (0.0_real64, 1.0_real64)

  !> Where the filter begins, of the shortest wave of the grid, and how steep it is: those of pyqg.
  real(real64), parameter :: cutoff = 0.65_real64*pi, steepness = 23.6_real64

  !> Waves of a grid, ordered as those of `transform_t`, and what the equations do to each.
  type :: waves_t
    integer :: n_k = 0, n_l = 0
    real(real64), allocatable :: k(:), l(:)        !< wavenumbers [m-1]
    real(real64), allocatable :: keep(:, :)        !< what the filter leaves [1]
    type(physics_t), private :: physics
    real(real64), private :: f1 = 0.0_real64, f2 = 0.0_real64 !< coupling of the layers [m-2]
    real(real64), private :: gradient(2) = 0.0_real64 !< of the mean q of both layers [m-1 s-1]
    real(real64), allocatable, private :: squared(:, :)    !< k**2 + l**2 [m-2]
    real(real64), allocatable, private :: inverse(:, :)    !< of the determinant, see `invert` [m4]
  contains
    procedure :: create => create_waves
    procedure :: invert
    procedure :: velocity
    procedure :: tendency
  end type waves_t

contains

  !> Waves of a grid of n_x by n_y points.
  subroutine create_waves(self, n_x, n_y, physics)
    class(waves_t), intent(inout) :: self
    integer, intent(in) :: n_x, n_y
    type(physics_t), intent(in) :: physics
    integer :: j, m

    self%physics = physics
    self%f1 = physics%deformation_radius**(-2)/(1.0_real64 + physics%delta)
    self%f2 = physics%delta*self%f1
    self%gradient = physics%beta + [self%f1, -self%f2]*(physics%u1 - physics%u2)
    self%n_k = n_x/2 + 1
    self%n_l = n_y
    self%k = 2.0_real64*pi/physics%length_x*[(j, j=0, n_x/2)]
    ! The shortest wave along y counts as negative.
    self%l = 2.0_real64*pi/physics%length_y*[(m, m=0, n_y/2 - 1), (m, m=-n_y/2, -1)]
    self%squared = spread(self%k**2, 2, n_y) + spread(self%l**2, 1, self%n_k)
    allocate (self%inverse, self%keep, mold=self%squared)
    self%inverse = 0.0_real64
    where (self%squared > 0.0_real64)
      self%inverse = 1.0_real64/self%squared/(self%squared + self%f1 + self%f2)
    end where
    self%keep = 1.0_real64
    if (.not. physics%filter) return
    associate (phase_x => self%k*physics%length_x/n_x, phase_y => self%l*physics%length_y/n_y)
      do m = 1, n_y
        self%keep(:, m) = exp(-steepness*max(hypot(phase_x, phase_y(m)) - cutoff, 0.0_real64)**4)
      end do
    end associate
  end subroutine create_waves

  !> Streamfunctions of both layers [m2 s-1] of q(k, l, layer) [s-1]; the mean has none:
  !> q1 = -K2 psi1 + F1 (psi2 - psi1), q2 = -K2 psi2 + F2 (psi1 - psi2).
  pure subroutine invert(self, q, psi)
    class(waves_t), intent(in) :: self
    complex(real64), intent(in) :: q(:, :, :)
    complex(real64), intent(out) :: psi(:, :, :)

    psi(:, :, 1) = -self%inverse*((self%squared + self%f2)*q(:, :, 1) + self%f1*q(:, :, 2))
    psi(:, :, 2) = -self%inverse*(self%f2*q(:, :, 1) + (self%squared + self%f1)*q(:, :, 2))
  end subroutine invert

  !> Spectra of u = -d psi/dy and v = d psi/dx [m s-1] of one layer.
  pure subroutine velocity(self, psi, u, v)
    class(waves_t), intent(in) :: self
    complex(real64), intent(in) :: psi(:, :)
    complex(real64), intent(out) :: u(:, :), v(:, :)
    integer :: m

    do m = 1, self%n_l
      u(:, m) = -i*self%l(m)*psi(:, m)
      v(:, m) = i*self%k*psi(:, m)
    end do
  end subroutine velocity

  !> Tendency of q [s-2] of a layer, of spectra of its psi and of the fluxes (u + U) q and v q.
  pure function tendency(self, layer, psi, flux_x, flux_y) result(made)
    class(waves_t), intent(in) :: self
    integer, intent(in) :: layer
    complex(real64), intent(in), dimension(:, :) :: psi, flux_x, flux_y
    complex(real64) :: made(self%n_k, self%n_l)
    real(real64) :: drag
    integer :: m

    drag = merge(self%physics%bottom_drag, 0.0_real64, layer == 2)
    do m = 1, self%n_l
      made(:, m) = -i*self%k*(flux_x(:, m) + self%gradient(layer)*psi(:, m)) &
        - i*self%l(m)*flux_y(:, m) + drag*self%squared(:, m)*psi(:, m)
    end do
  end function tendency

end module quasigeostrophic_model
