!> How an array lies in memory.
!>
!> Compilers describe arrays to each other in ways of their own, and the library may have been
!> compiled by another one. So strides come from the addresses of neighbouring elements: whatever
!> section was passed, no copy is made and no descriptor is read.
module hybrid_arrays
  use, intrinsic :: iso_c_binding, only: c_int, c_int64_t, c_intptr_t, c_loc, c_null_ptr, c_ptr
  use, intrinsic :: iso_fortran_env, only: real32, real64
#ifndef HYBRID_NO_REAL128
  use, intrinsic :: iso_fortran_env, only: real128
#endif
  implicit none
  private

  public :: place_of, place_t

  integer, parameter, public :: most_rank = 5

  !> Stands for the rank of an assumed-size array.
  integer, parameter, public :: unknown_extent = -1

  !> Strides in bytes. The address is null if there are no elements.
  type :: place_t
    type(c_ptr) :: address = c_null_ptr
    integer :: kind = 0, rank = 0
    integer(c_int64_t) :: shape(most_rank) = 0, stride(most_rank) = 0
  end type place_t

#ifdef HYBRID_NO_ASSUMED_RANK
  interface place_of
    module procedure place_1, place_2, place_3, place_4, place_5
  end interface place_of
#else
include 'place_names.inc'
#endif

contains

#ifndef HYBRID_NO_ASSUMED_RANK
include 'place_assumed_rank.inc'
#endif
  function place_1(array) result(place)
    class(*), intent(in), target :: array(:)
    type(place_t) :: place
    place = place_t(kind=storage_size(array)/8, rank=1)
    place%shape(:1) = shape(array, kind=c_int64_t)
    if (size(array, kind=c_int64_t) == 0) return
    place%address = address_of(array(1))
    if (size(array, 1) > 1) place%stride(1) = distance(place, array(2))
  end function place_1

  function place_2(array) result(place)
    class(*), intent(in), target :: array(:, :)
    type(place_t) :: place
    place = place_t(kind=storage_size(array)/8, rank=2)
    place%shape(:2) = shape(array, kind=c_int64_t)
    if (size(array, kind=c_int64_t) == 0) return
    place%address = address_of(array(1, 1))
    if (size(array, 1) > 1) place%stride(1) = distance(place, array(2, 1))
    if (size(array, 2) > 1) place%stride(2) = distance(place, array(1, 2))
  end function place_2

  function place_3(array) result(place)
    class(*), intent(in), target :: array(:, :, :)
    type(place_t) :: place
    place = place_t(kind=storage_size(array)/8, rank=3)
    place%shape(:3) = shape(array, kind=c_int64_t)
    if (size(array, kind=c_int64_t) == 0) return
    place%address = address_of(array(1, 1, 1))
    if (size(array, 1) > 1) place%stride(1) = distance(place, array(2, 1, 1))
    if (size(array, 2) > 1) place%stride(2) = distance(place, array(1, 2, 1))
    if (size(array, 3) > 1) place%stride(3) = distance(place, array(1, 1, 2))
  end function place_3

  function place_4(array) result(place)
    class(*), intent(in), target :: array(:, :, :, :)
    type(place_t) :: place
    place = place_t(kind=storage_size(array)/8, rank=4)
    place%shape(:4) = shape(array, kind=c_int64_t)
    if (size(array, kind=c_int64_t) == 0) return
    place%address = address_of(array(1, 1, 1, 1))
    if (size(array, 1) > 1) place%stride(1) = distance(place, array(2, 1, 1, 1))
    if (size(array, 2) > 1) place%stride(2) = distance(place, array(1, 2, 1, 1))
    if (size(array, 3) > 1) place%stride(3) = distance(place, array(1, 1, 2, 1))
    if (size(array, 4) > 1) place%stride(4) = distance(place, array(1, 1, 1, 2))
  end function place_4

  function place_5(array) result(place)
    class(*), intent(in), target :: array(:, :, :, :, :)
    type(place_t) :: place
    place = place_t(kind=storage_size(array)/8, rank=5)
    place%shape(:5) = shape(array, kind=c_int64_t)
    if (size(array, kind=c_int64_t) == 0) return
    place%address = address_of(array(1, 1, 1, 1, 1))
    if (size(array, 1) > 1) place%stride(1) = distance(place, array(2, 1, 1, 1, 1))
    if (size(array, 2) > 1) place%stride(2) = distance(place, array(1, 2, 1, 1, 1))
    if (size(array, 3) > 1) place%stride(3) = distance(place, array(1, 1, 2, 1, 1))
    if (size(array, 4) > 1) place%stride(4) = distance(place, array(1, 1, 1, 2, 1))
    if (size(array, 5) > 1) place%stride(5) = distance(place, array(1, 1, 1, 1, 2))
  end function place_5

  !> Null for a kind that the library does not take; it says so.
  type(c_ptr) function address_of(element)
    class(*), intent(in), target :: element
    address_of = c_null_ptr
    select type (element)
    type is (real(real32))
      address_of = c_loc(element)
    type is (real(real64))
      address_of = c_loc(element)
    end select
  end function address_of

  !> Distance of an element from the first one [bytes].
  integer(c_int64_t) function distance(place, element)
    type(place_t), intent(in) :: place
    class(*), intent(in), target :: element
    distance = transfer(address_of(element), 0_c_intptr_t) &
      - transfer(place%address, 0_c_intptr_t)
  end function distance

end module hybrid_arrays
