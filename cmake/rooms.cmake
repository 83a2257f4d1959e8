# The import table: which room may include and link which. Arrows point down only and are
# transitive. `sosia_add_room()` refuses an edge that is not here; tests/architecture scans the real
# includes against the same table. `HEAVY` names third-party libraries that only this room may see.
#
#   sosia_room(<name> [IMPORTS <room>...] [METHOD_IMPORTS <room>...] [HEAVY <library>...]
#              [METHOD_HEAVY <library>...])
#
# METHOD_* hold for src/<room>/methods/ only. A room stands here before its code exists: the table
# is the plan that the code must follow.

sosia_room(core                                           HEAVY httplib)
sosia_room(formats   IMPORTS core                          HEAVY arrow)
sosia_room(image     IMPORTS core                          HEAVY opencv jpeg png webp gif ffmpeg)
sosia_room(evaluate  IMPORTS core formats)
sosia_room(models    IMPORTS core formats image            HEAVY openvino)
sosia_room(gallery   IMPORTS core formats evaluate         HEAVY sqlite sodium hnswlib highway)
sosia_room(world     IMPORTS core formats image)
sosia_room(tensor    IMPORTS core formats image            HEAVY torch)
sosia_room(nn        IMPORTS tensor                        HEAVY torch)
sosia_room(data      IMPORTS formats image world)
sosia_room(train     IMPORTS nn data models evaluate       HEAVY torch mpi)
sosia_room(face      IMPORTS formats image models gallery evaluate world
                     METHOD_IMPORTS train                  METHOD_HEAVY torch)
sosia_room(person    IMPORTS formats image models gallery evaluate world
                     METHOD_IMPORTS train                  METHOD_HEAVY torch)
sosia_room(liveness  IMPORTS face METHOD_IMPORTS train     METHOD_HEAVY torch)
sosia_room(generate  IMPORTS train models world evaluate face HEAVY torch)
sosia_room(swap      IMPORTS generate face                 HEAVY torch)
sosia_room(synth     IMPORTS generate face                 HEAVY torch)
sosia_room(link      IMPORTS formats gallery models evaluate METHOD_IMPORTS train
                     HEAVY arrow icu rapidfuzz xgboost     METHOD_HEAVY torch)
sosia_room(contracts IMPORTS formats gallery models evaluate METHOD_IMPORTS train
                     HEAVY xgboost                         METHOD_HEAVY torch)
sosia_room(programs  IMPORTS core evaluate)
sosia_room(llm       IMPORTS formats gallery models evaluate HEAVY llama httplib)
sosia_room(cli       IMPORTS core                          HEAVY cli11)
sosia_room(server    IMPORTS core                          HEAVY httplib)
