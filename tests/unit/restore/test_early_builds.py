"""Which indexes need not wait until every table has its rows."""

from __future__ import annotations

from pgtend.restore.early import builds_of_tables

CONTENTS = [
    "3400; 1259 16400 INDEX public visit by day kgc_owner",
    "3401; 2606 16401 CONSTRAINT public visit visit_pkey kgc owner",
    '3402; 1259 16402 INDEX odd "schema" two  words kgc_owner',
    "3403; 0 0 INDEX ATTACH public visit_pkey kgc_owner",
    "3404; 2606 16404 FK CONSTRAINT public visit visit_patient_fkey kgc_owner",
    "3405; 1259 16405 INDEX public same name kgc_owner",
    "3406; 1259 16406 INDEX public same name kgc_owner",
    "3407; 2620 16407 TRIGGER public visit audit kgc_owner",
    "3408; 1259 16408 INDEX public strange kgc_owner",
]
SCRIPT = """
SET default_tablespace = '';

--
-- Name: visit by day; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX "visit by day" ON public.visit USING btree (((at)::date));

ALTER TABLE public.visit CLUSTER ON "visit by day";


--
-- Name: visit visit_pkey; Type: CONSTRAINT; Schema: public; Owner: kgc owner
--

ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (id);


--
-- Name: two  words; Type: INDEX; Schema: odd "schema"; Owner: kgc_owner
--

CREATE INDEX "two  words" ON ONLY "odd ""schema""\"."x ON y.z" USING gin (doc);


--
-- Name: same name; Type: INDEX; Schema: public; Owner: kgc_owner
--

CREATE INDEX "same name" ON public.visit USING btree (a);


--
-- Name: same name; Type: INDEX; Schema: public; Owner: kgc_owner
--

CREATE INDEX "same
name" ON public.patient USING btree (a);


--
-- Name: strange; Type: INDEX; Schema: public; Owner: kgc_owner
--

SELECT nobody_knows();


--
-- Name: visit visit_patient_fkey; Type: FK CONSTRAINT; Schema: public; Owner: kgc_owner
--

ALTER TABLE ONLY public.visit
    ADD CONSTRAINT visit_patient_fkey FOREIGN KEY (patient) REFERENCES public.patient(id);
"""


def test_indexes_and_keys_are_told_by_their_table() -> None:
    """Names with blanks and quotes, and owners of several words, are told apart by the statements themselves."""
    assert builds_of_tables(CONTENTS, SCRIPT) == {
        ("public", "visit"): CONTENTS[:2],
        ('odd "schema"', "x ON y.z"): [CONTENTS[2]],
    }


def test_what_cannot_be_told_for_certain_is_left_to_the_end() -> None:
    """One name twice, a statement of another shape, a partition's index that is attached, a foreign key."""
    early = {line for lines in builds_of_tables(CONTENTS, SCRIPT).values() for line in lines}
    assert [line for line in CONTENTS if line not in early] == CONTENTS[3:]
