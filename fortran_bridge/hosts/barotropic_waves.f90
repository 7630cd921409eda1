! The waves of a doubly periodic grid, and the way from the grid to them and back.
!
! A transform is a product of small matrices, the field or spectrum between tables of cosines and
! sines of k x and l y: no library is needed, and only the waves that are kept are computed. It
! takes some n**3 operations on n x n points, so it is meant for coarse grids. On hundreds of points
! along a side a fast Fourier transform is what one wants.

module barotropic_waves
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: waves_t

  real(real64), parameter :: two_pi = 8.0_real64*atan(1.0_real64)

  !> Cosines and sines of waves at points.
  type :: table_t
    real(real64), allocatable :: cosine(:, :), sine(:, :)
  end type table_t

  !> Wavenumbers and tables of a grid of n_x by n_y points. Of waves along each axis those below a
  !> third of the points are kept (Orszag's rule): products of two are then free of aliasing. A
  !> spectrum, unnormalised, is spectrum(0:m_x, -m_y:m_y); negative k follow by symmetry.
  type :: waves_t
    integer :: n_x = 0, n_y = 0                  !< points
    integer :: m_x = 0, m_y = 0                  !< number of the shortest wave that is kept
    real(real64) :: dx = 0.0_real64, dy = 0.0_real64
    real(real64), allocatable :: k(:), l(:)      !< wavenumbers, k(0:m_x) and l(-m_y:m_y)
    real(real64), allocatable :: squared(:, :)   !< k**2 + l**2, like a spectrum
    type(table_t), private :: from_x, from_y, to_x, to_y
  contains
    procedure :: create => create_waves
    procedure :: to_spectrum
    procedure :: to_grid
  end type waves_t

contains

  !> Waves of a domain of size length_x by length_y.
  subroutine create_waves(self, n_x, n_y, length_x, length_y)
    class(waves_t), intent(inout) :: self
    integer, intent(in) :: n_x, n_y
    real(real64), intent(in) :: length_x, length_y
    integer :: i, j

    self%n_x = n_x
    self%n_y = n_y
    self%m_x = (n_x - 1)/3
    self%m_y = (n_y - 1)/3
    self%dx = length_x/n_x
    self%dy = length_y/n_y
    if (allocated(self%k)) then
      deallocate (self%k, self%l, self%squared)
    end if
    allocate (self%k(0:self%m_x), self%l(-self%m_y:self%m_y))
    allocate (self%squared(0:self%m_x, -self%m_y:self%m_y))
    self%k = two_pi/length_x*[(i, i=0, self%m_x)]
    self%l = two_pi/length_y*[(j, j=-self%m_y, self%m_y)]
    do j = -self%m_y, self%m_y
      self%squared(:, j) = self%k**2 + self%l(j)**2
    end do
    self%from_x = table_of(n_x, 0, self%m_x)
    self%to_y = table_of(n_y, -self%m_y, self%m_y)
    self%from_y = turned(self%to_y, 1.0_real64)
    self%to_x = turned(self%from_x, 1.0_real64/(real(n_x, real64)*n_y))
    ! A wave and the one with -k, which is not stored, give the same real part.
    self%to_x%cosine(:, 2:) = 2.0_real64*self%to_x%cosine(:, 2:)
    self%to_x%sine(:, 2:) = 2.0_real64*self%to_x%sine(:, 2:)
  end subroutine create_waves

  !> The kept waves of a field on the grid, sums of field times exp(-i (k x + l y)).
  pure subroutine to_spectrum(self, field, spectrum)
    class(waves_t), intent(in) :: self
    real(real64), intent(in) :: field(:, :)
    complex(real64), intent(out) :: spectrum(:, :)
    real(real64), dimension(0:self%m_x, self%n_y) :: cosine, sine
    real(real64), dimension(0:self%m_x, -self%m_y:self%m_y) :: re, im

    cosine = matmul(self%from_x%cosine, field)
    sine = matmul(self%from_x%sine, field)
    re = matmul(cosine, self%from_y%cosine)
    re = re - matmul(sine, self%from_y%sine)
    im = matmul(cosine, self%from_y%sine)
    im = im + matmul(sine, self%from_y%cosine)
    spectrum = cmplx(re, -im, real64)
  end subroutine to_spectrum

  !> The field of a spectrum on the grid: real parts of sums of spectrum times exp(i (k x + l y)).
  pure subroutine to_grid(self, spectrum, field)
    class(waves_t), intent(in) :: self
    complex(real64), intent(in) :: spectrum(:, :)
    real(real64), intent(out) :: field(:, :)
    real(real64), dimension(0:self%m_x, -self%m_y:self%m_y) :: re, im
    real(real64), dimension(0:self%m_x, self%n_y) :: re_y, im_y

    re = real(spectrum, real64)
    im = aimag(spectrum)
    re_y = matmul(re, self%to_y%cosine)
    re_y = re_y - matmul(im, self%to_y%sine)
    im_y = matmul(re, self%to_y%sine)
    im_y = im_y + matmul(im, self%to_y%cosine)
    field = matmul(self%to_x%cosine, re_y)
    field = field - matmul(self%to_x%sine, im_y)
  end subroutine to_grid

  !> Waves m from first to last at n points: (wave, point).
  pure function table_of(n, first, last) result(table)
    integer, intent(in) :: n, first, last
    type(table_t) :: table
    real(real64) :: angle
    integer :: m, j

    allocate (table%cosine(last - first + 1, n), table%sine(last - first + 1, n))
    do j = 0, n - 1
      do m = first, last
        ! Without whole turns, the angle rounds less.
        angle = two_pi*modulo(m*j, n)/n
        table%cosine(m - first + 1, j + 1) = cos(angle)
        table%sine(m - first + 1, j + 1) = sin(angle)
      end do
    end do
  end function table_of

  !> A table as (point, wave), times a factor.
  pure function turned(table, factor)
    type(table_t), intent(in) :: table
    real(real64), intent(in) :: factor
    type(table_t) :: turned

    allocate (turned%cosine(size(table%cosine, 2), size(table%cosine, 1)))
    allocate (turned%sine, mold=turned%cosine)
    turned%cosine = factor*transpose(table%cosine)
    turned%sine = factor*transpose(table%sine)
  end function turned

end module barotropic_waves
