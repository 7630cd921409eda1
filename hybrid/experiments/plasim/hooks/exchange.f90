!> What a scheme of the host hands over, field by field: to a closure, or to a file.
module hybrid_exchange
  use, intrinsic :: iso_fortran_env, only: int32, real32, real64
  use hybrid, only: binding_t
  implicit none(type, external)
  private

  public :: columns_file_t, exchange_t, inputs_t, outputs_t

  !> Takes the fields of a scheme one after the other; level 1 is the top of the model.
  type, abstract :: exchange_t
  contains
    procedure(scalar_interface), deferred :: scalar
    procedure(profile_interface), deferred :: profile
  end type exchange_t

  abstract interface
    !> One number for each column.
    subroutine scalar_interface(self, name, units, values)
      import :: exchange_t, real64
      implicit none(type, external)
      class(exchange_t), intent(inout) :: self
      character(len=*), intent(in) :: name, units
      real(real64), intent(inout) :: values(:)
    end subroutine scalar_interface

    !> One number for each column and each element of dimension `dim`.
    subroutine profile_interface(self, name, units, dim, values)
      import :: exchange_t, real64
      implicit none(type, external)
      class(exchange_t), intent(inout) :: self
      character(len=*), intent(in) :: name, units, dim
      real(real64), intent(inout) :: values(:, :)
    end subroutine profile_interface
  end interface

  !> Gives fields to a closure.
  type, extends(exchange_t) :: inputs_t
    type(binding_t), pointer :: binding => null()
  contains
    procedure :: scalar => put_scalar
    procedure :: profile => put_profile
  end type inputs_t

  !> Takes fields from a closure.
  type, extends(exchange_t) :: outputs_t
    type(binding_t), pointer :: binding => null()
  contains
    procedure :: scalar => get_scalar
    procedure :: profile => get_profile
  end type outputs_t

  !> Appends every `stride`-th column of process `rank` to `NAME.columns.RANK`, as 4-byte numbers in
  !> the order of the calls; `NAME.fields.RANK` tells what they are: a line `name units dim size`
  !> for each field.
  type, extends(exchange_t) :: columns_file_t
    private
    integer :: unit = 0, index = 0, first = 1, stride = 1
    integer, public :: n_record = 0
  contains
    procedure :: open => columns_open
    procedure :: record => columns_record
    procedure :: complete => columns_complete
    procedure :: scalar => write_scalar
    procedure :: profile => write_profile
  end type columns_file_t

contains

  subroutine put_scalar(self, name, units, values)
    class(inputs_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units
    real(real64), intent(inout) :: values(:)
    call self%binding%put(name, values, dims='column', units=units)
  end subroutine put_scalar

  subroutine put_profile(self, name, units, dim, values)
    class(inputs_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units, dim
    real(real64), intent(inout) :: values(:, :)
    call self%binding%put(name, values, dims='column,'//dim, units=units)
  end subroutine put_profile

  subroutine get_scalar(self, name, units, values)
    class(outputs_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units
    real(real64), intent(inout) :: values(:)
    call self%binding%get(name, values, dims='column', units=units)
  end subroutine get_scalar

  subroutine get_profile(self, name, units, dim, values)
    class(outputs_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units, dim
    real(real64), intent(inout) :: values(:, :)
    call self%binding%get(name, values, dims='column,'//dim, units=units)
  end subroutine get_profile

  subroutine columns_open(self, name, rank, stride)
    class(columns_file_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    integer, intent(in) :: rank, stride
    character(len=12) :: ending
    self%stride = stride
    write (ending, '(a, i0)') '.', rank
    open (newunit=self%unit, file=name//'.columns'//trim(ending), access='stream', &
          form='unformatted', status='replace', action='write')
    open (newunit=self%index, file=name//'.fields'//trim(ending), status='replace', action='write')
  end subroutine columns_open

  !> Begin a record; the sampled columns are others from record to record.
  subroutine columns_record(self, step)
    class(columns_file_t), intent(inout) :: self
    integer, intent(in) :: step
    self%first = 1 + modulo(self%n_record, self%stride)
    write (self%unit) int(step, int32), int(self%first, int32)
  end subroutine columns_record

  subroutine columns_complete(self)
    class(columns_file_t), intent(inout) :: self
    if (self%n_record == 0) close (self%index)
    self%n_record = self%n_record + 1
    flush (self%unit)
  end subroutine columns_complete

  subroutine write_scalar(self, name, units, values)
    class(columns_file_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units
    real(real64), intent(inout) :: values(:)
    if (self%n_record == 0) write (self%index, '(5a)') name, '|', units, '||', '1'
    write (self%unit) real(values(self%first::self%stride), real32)
  end subroutine write_scalar

  subroutine write_profile(self, name, units, dim, values)
    class(columns_file_t), intent(inout) :: self
    character(len=*), intent(in) :: name, units, dim
    real(real64), intent(inout) :: values(:, :)
    if (self%n_record == 0) then
      write (self%index, '(6a, i0)') name, '|', units, '|', dim, '|', size(values, 2)
    end if
    write (self%unit) real(values(self%first::self%stride, :), real32)
  end subroutine write_profile
end module hybrid_exchange
